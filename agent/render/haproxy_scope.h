/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every part of a haproxy.cfg's view has to know of the whole, while one is built. Used by
 * render/ only.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "render/haproxy_cfg.h"

struct haproxy_scope {
	const struct load_balancer *load_balancer;
	const struct haproxy_cfg_options *options;
	const char *certificates; /* the folder of its certificates */
	json_t *servers;          /* of the pools that were viewed before, by the pool's id */
	bool has_ping;            /* some pool that was viewed is checked by PING */
};
