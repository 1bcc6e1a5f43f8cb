/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model becomes what runs: rendered, checked, stored, installed and applied in one step, all of
 * it or nothing (model.md, "Endpoints"). Used by the agent.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "haproxy/changes.h"
#include "haproxy/instance.h"
#include "model/load_balancer.h"
#include "sys/digest.h"

/* The text of a model with what it says. */
struct haproxy_model {
	const char *text; /* as it was sent */
	size_t size_bytes;
	char etag[MD5_HEX_SIZE + 1]; /* of the text */
	const struct load_balancer *load_balancer;
};

/* Fills in the ETag; text and load balancer stay the caller's. */
struct haproxy_model haproxy_model_of(
	const char *text, size_t size_bytes, const struct load_balancer *load_balancer);

struct haproxy_model_result {
	enum haproxy_applied applied;
	struct haproxy_changes changes;
	struct buf config; /* the rendered haproxy.cfg */
	struct buf output; /* HAProxy's words: warnings, or why it refused */
};
void haproxy_model_result_deinit(struct haproxy_model_result *result);
#define cleanup_haproxy_model_result CLEANUP(haproxy_model_result_deinit)

/*
 * Applies it; a model without any listener to serve stops HAProxy. -EBADMSG: HAProxy refused, and
 * what was in force before still is; ret_result->output says why. ret_result is filled in, and to
 * be freed, on failure too.
 */
int haproxy_model_apply(struct haproxy_instance *instance, const struct haproxy_model *model,
	struct haproxy_model_result *ret_result, struct err *err);
/* What haproxy_model_apply() would do; nothing is written. */
int haproxy_model_preview(struct haproxy_instance *instance, const struct haproxy_model *model,
	struct haproxy_model_result *ret_result, struct err *err);
