/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The model that a load balancer's haproxy.cfg was rendered from, kept beside it as
 * BASE/LB/model-DIGEST.json, DIGEST the MD5 of that config. So the two can never disagree:
 * installing a rendered config is the one step that puts its model in force, installing any other
 * the step that ends it (model.md: "the last one counts"). A rendered config holds its model's ETag
 * (render/haproxy_cfg.h), so no two models share one. A model of another config than the installed
 * one is litter of an interrupted change. Used by the agent.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "haproxy/instance.h"
#include "sys/digest.h"

/* Beside what is in force, until config is installed, which must happen byte for byte. */
int haproxy_stored_model_store(struct haproxy_instance *instance, const struct buf *config,
	const char *text, size_t size_bytes, struct err *err);
/*
 * The model in force, byte for byte as it was stored, and its ETag, the MD5 of that. -ENOENT: no
 * such load balancer. -ENODATA: its config was uploaded, not rendered.
 */
int haproxy_stored_model_read(const struct haproxy_site *site, const struct id *id,
	struct buf *ret_text, char ret_etag[static MD5_HEX_SIZE + 1], struct err *err);
/* Removes what is not in force. */
void haproxy_stored_model_prune(struct haproxy_instance *instance);
/* Removes all of them: a config was uploaded, even if it is the one that was rendered here. */
void haproxy_stored_model_drop(struct haproxy_instance *instance);
