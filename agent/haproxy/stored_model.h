/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The model that a load balancer's haproxy.cfg was rendered from, kept beside it as
 * BASE/LB/model-ETAG.json. The config names its model in a comment, so the two can never disagree:
 * installing a rendered config is the one step that puts its model in force, installing an uploaded
 * one the step that ends it (model.md: "the last one counts"). A model that the installed config
 * does not name is litter of an interrupted change. Used by the agent.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "haproxy/instance.h"
#include "sys/digest.h"

/* Beside what is in force, until a config that names etag is installed. etag: MD5 of the text. */
int haproxy_stored_model_store(struct haproxy_instance *instance, const char *etag,
	const char *text, size_t size_bytes, struct err *err);
/*
 * The model in force, byte for byte as it was stored, and its ETag. -ENOENT: no such load balancer.
 * -ENODATA: its config was uploaded, not rendered.
 */
int haproxy_stored_model_read(const struct haproxy_site *site, const struct id *id,
	struct buf *ret_text, char ret_etag[static MD5_HEX_SIZE + 1], struct err *err);
/* Removes what is not in force. */
void haproxy_stored_model_prune(struct haproxy_instance *instance);
