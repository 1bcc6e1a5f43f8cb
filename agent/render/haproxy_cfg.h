/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A load balancer's haproxy.cfg, rendered from its model through templates/haproxy.cfg.mustache. It
 * means to HAProxy what Octavia's newest templates mean, under the same names (model.md, "What
 * rendering must equal"). Used by the agent and amphoractl.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "model/load_balancer.h"

/*
 * How the first line of a rendered config begins; the ETag of the model follows. It makes the
 * configs of different models different (haproxy/stored_model.h), so it is no template's to leave
 * out.
 */
#define RENDER_MODEL_LINE "# Rendered by amphora-agent from model "
/* Where the amphora's rsyslog listens. */
#define RENDER_LOG_SOCKET "/run/rsyslog/octavia/log"

/* What the text depends on beside the model. Texts are the caller's. */
struct haproxy_cfg_options {
	const char *template_dir;
	const char *base_path;
	const char *model_etag;
	const char *log_socket;                                  /* RENDER_LOG_SOCKET */
	unsigned user_log_facility, administrative_log_facility; /* LOCAL0 … LOCAL7 */
};

/*
 * Appends the text. Errors of render/template.h; -EMSGSIZE when ret_text's maximum is reached, as
 * by hundreds of listeners that share a pool of thousands.
 */
int render_haproxy_cfg(const struct load_balancer *load_balancer,
	const struct haproxy_cfg_options *options, struct buf *ret_text, struct err *err);
