/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PEM files of one load balancer: certificates with keys, CAs, CRLs and crt-lists, uploaded
 * under a name of their own into CERTS/LB (amphora-api.md, "Endpoints"). Their content is
 * HAProxy's affair. Used by the agent.
 */
#pragma once

#include <stddef.h>

#include "base/certificate_name.h"
#include "base/err.h"
#include "base/id.h"
#include "haproxy/instance.h"
#include "haproxy/site.h"
#include "sys/digest.h"

/* Durable and atomic, 0600 in a 0700 folder. The load balancer need not exist yet. */
int haproxy_certificate_store(struct haproxy_instance *instance,
	const struct certificate_name *name, const char *data, size_t size_bytes, struct err *err);
/* MD5 of the stored bytes. -ENOENT: no such file. */
int haproxy_certificate_md5(const struct haproxy_site *site, const struct id *id,
	const struct certificate_name *name, char ret_hex[static MD5_HEX_SIZE + 1],
	struct err *err);
/* One that is not there is fine. */
int haproxy_certificate_delete(
	struct haproxy_instance *instance, const struct certificate_name *name, struct err *err);

/*
 * After a reload: removes what no installed config refers to, crt-lists followed (controllers never
 * delete CAs, CRLs and crt-lists). What the worker before read goes at once (files_before:
 * struct haproxy_running's files, "" if unknown); what nobody ever used may be an upload for the
 * config to come, and goes after an hour. Failures are logged.
 */
void haproxy_certificate_prune(struct haproxy_instance *instance, const char *files_before);
