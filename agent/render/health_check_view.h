/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a backend checks its servers. Used by render/ only.
 *
 *	{"timeout", "interval", "fall", "rise", "hello", "over_tls", "sni", "alpn", "starts_down",
 *	 "http": {"method", "path", "version", "host", "expected"}, "ping": the command}
 *
 * Times are texts with their unit. "host" is part of a log-format (render/escape.h).
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "model/pool.h"
#include "render/haproxy_scope.h"

/* The pool has a monitor that is up. */
bool health_check_is_on(const struct pool *pool);
/* Whether checks open with a TLS handshake, also where the pool's own connections have none. */
bool health_check_is_over_tls(const struct pool *pool);
json_t *health_check_view(struct haproxy_scope *scope, const struct pool *pool);
