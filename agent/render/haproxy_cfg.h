/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A load balancer's haproxy.cfg, rendered from its model through templates/haproxy.cfg.mustache. It
 * means to HAProxy what Octavia's newest templates mean, under the same names (model.md, "What
 * rendering must equal"). Used by the agent and amphoractl.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "model/load_balancer.h"

/*
 * How the first line of a rendered config begins; the ETag of the model follows. It makes the
 * configs of different models different (haproxy/stored_model.h), so it is no template's to leave
 * out.
 */
#define RENDER_MODEL_LINE "# Rendered by amphora-agent from model "
/* What the options are where nobody configured anything else: Octavia's defaults. */
#define RENDER_LOG_SOCKET       "/run/rsyslog/octavia/log" /* of the amphora's rsyslog */
#define RENDER_STICK_TABLE_SIZE "10k" /* [haproxy_amphora] haproxy_stick_size */
enum {
	RENDER_PROMETHEUS_PORT = 9102,          /* of our prometheus-proxy, on the loopback */
	RENDER_PROMETHEUS_EXPORTER_PORT = 9101, /* of the exporter in HAProxy that it asks */
};

/*
 * What the text depends on beside the model. Texts are the caller's. The same model and options
 * give the same text: a value that changes from one call to the next makes each of them a reload.
 */
struct haproxy_cfg_options {
	const char *template_dir;
	const char *base_path;
	const char *base_cert_dir; /* certificates lie in its folder LB */
	const char *model_etag;
	const char *log_socket;                                  /* RENDER_LOG_SOCKET */
	unsigned user_log_facility, administrative_log_facility; /* LOCAL0 … LOCAL7 */
	const char *stick_table_size;                            /* RENDER_STICK_TABLE_SIZE */
	in_port_t prometheus_port; /* 0: nobody answers a PROMETHEUS listener's clients */
	in_port_t prometheus_exporter_port;
	/*
	 * Free, buffers and cached together: two fifths of what connections leave of it become the
	 * cache of TLS sessions, 1 GiB at most. 0: unknown, HAProxy's own size.
	 */
	uint64_t available_memory_kib;
	/*
	 * Of an amphora that keeps all but the first for HAProxy (sys/tuned.h); 0: HAProxy is not
	 * pinned.
	 */
	unsigned cpu_count;
	/* conf/settings.h, where HAProxy has "init-state": 3.1 and newer. */
	bool members_start_down;
};

/*
 * Appends the text. Errors of render/template.h; -EMSGSIZE when ret_text's maximum is reached, as
 * by hundreds of listeners that share a pool of thousands.
 */
int render_haproxy_cfg(const struct load_balancer *load_balancer,
	const struct haproxy_cfg_options *options, struct buf *ret_text, struct err *err);
