/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words that a `bind` and a `server` line have in common where they speak TLS. Used by render/
 * only.
 */
#pragma once

#include <jansson.h>

#include "base/certificate_name.h"
#include "model/tls.h"
#include "render/haproxy_scope.h"

/* Sets "ciphers", "refused_versions" ("sslv3", …, as in no-sslv3) and "alpn". */
void tls_view_set(json_t *object, const struct tls *tls);
/* The path of the uploaded PEM; nothing when there is none. */
void tls_view_set_certificate(json_t *object, const char *key, const struct haproxy_scope *scope,
	const struct certificate_name *name);
void tls_view_append_certificate(
	json_t *array, const struct haproxy_scope *scope, const struct certificate_name *name);
