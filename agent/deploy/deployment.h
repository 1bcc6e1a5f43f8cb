/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model becomes what runs on this amphora: haproxy.cfg, a keepalived config for each UDP or SCTP
 * listener, and that of VRRP, rendered, checked, installed and taken up in one step, all of it or
 * nothing (model.md, "Endpoints"). Used by the agent.
 *
 * The steps, with all locks held (HAProxy's instance by the caller, LVS listeners by id, VRRP):
 *
 *  1. every daemon checks its new config; nothing is touched if one refuses (crt-lists that HAProxy
 *     must find for that go again);
 *  2. what is installed now goes to the undo log, durably (deploy/undo_log.h);
 *  3. the model is stored; clients that it or the one before does not allow are shut out of LVS
 *     listeners; then VRRP's config, the listeners' and, last, haproxy.cfg are installed: that one
 *     is what a model is in force by (haproxy/stored_model.h);
 *  4. listeners that the model has no longer are stopped, because their ports may be others' now;
 *     then HAProxy, the listeners and VRRP take up what is installed, in this order: HAProxy is the
 *     one that may fail for what no check sees, a port, and VRRP brings the clients;
 *  5. the undo log goes, by which the change is made for good;
 *  6. what the model has no longer is deleted, and clients that it does allow are let in.
 *
 * Whatever fails before 5 is undone: configs and markers are put back, what runs takes them up. An
 * agent that was killed before 5 has told nobody of success: the next one undoes what it finds in
 * the log before it serves that load balancer (deploy/recovery.h). Killed after 5, it leaves
 * stopped listeners behind, which the next PUT of a model or a DELETE removes.
 *
 * A model takes over every LVS listener whose config names its load balancer, a controller's
 * included, and deletes those that it does not have: the last one counts. A VRRP config that a
 * controller uploaded is replaced by that of a model with a pair, and left alone by one without.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "deploy/applied.h"
#include "deploy/changes.h"
#include "deploy/rendering.h"
#include "deploy/site.h"
#include "haproxy/instance.h"
#include "model/load_balancer.h"
#include "sys/digest.h"

/* A model that is to be deployed. */
struct deployment {
	const char *text; /* as it was sent */
	size_t size_bytes;
	char etag[MD5_HEX_SIZE + 1]; /* of the text */
	const struct load_balancer *load_balancer;
	const struct amphora *amphora; /* which of the pair we are; NULL: there is none */
};

/*
 * Fills in ETag and amphora; texts and load balancer stay the caller's. -EINVAL, with a fault: the
 * model has a pair, and the amphora is none of it.
 */
int deployment_init(struct deployment *deployment, const char *text, size_t size_bytes,
	const struct load_balancer *load_balancer, const struct id *amphora,
	struct faults *ret_faults);

struct deployment_result {
	enum applied applied; /* that of the part with most to do */
	struct changes changes;
	struct rendering rendering;
	struct buf output; /* a daemon's words: warnings, or why it refused */
};
void deployment_result_deinit(struct deployment_result *result);
#define cleanup_deployment_result CLEANUP(deployment_result_deinit)

/*
 * Deploys; instance is that of the model's load balancer. -EBADMSG: a daemon refused, ret_result
 * ->output says why; -EBUSY: a listener, or the VRRP instance, is another load balancer's; other
 * errors: what could not be done. What was in force before still is. ret_result is filled in, and
 * to be freed, on failure too.
 */
int deployment_apply(const struct deploy_site *site, struct haproxy_instance *instance,
	const struct deployment *deployment, struct deployment_result *ret_result, struct err *err);
/* What deployment_apply() would do; nothing is written. */
int deployment_preview(const struct deploy_site *site, struct haproxy_instance *instance,
	const struct deployment *deployment, struct deployment_result *ret_result, struct err *err);

/*
 * The model in force, byte for byte as it was stored, with its ETag. -ENOENT: no such load
 * balancer. -ENODATA: something of it was uploaded, or deleted, since. ret_load_balancer, unless
 * NULL, gets what the text says, the caller's to free; NULL when an earlier agent stored what is
 * no model any more.
 */
int deployment_read(const struct deploy_site *site, const struct id *load_balancer,
	struct buf *ret_text, char ret_etag[static MD5_HEX_SIZE + 1],
	struct load_balancer **ret_load_balancer, struct err *err);

/*
 * Deletes all that is the load balancer's: its LVS listeners, rendered and uploaded, the VRRP
 * instance if its model led to it, HAProxy with its certificates. One that never existed is fine.
 */
int deployment_delete(
	const struct deploy_site *site, struct haproxy_instance *instance, struct err *err);
