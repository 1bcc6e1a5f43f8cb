/* SPDX-License-Identifier: Apache-2.0 */
#include "render/tls_view.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "render/view.h"

void tls_view_set(json_t *object, const struct tls *tls)
{
	static const char *const words[TLS_VERSION_COUNT] = {
		[TLS_SSLV3] = "sslv3",
		[TLS_TLSV1] = "tlsv10",
		[TLS_TLSV1_1] = "tlsv11",
		[TLS_TLSV1_2] = "tlsv12",
		[TLS_TLSV1_3] = "tlsv13",
	};
	json_t *refused = json_array();

	for (int version = 0; version < TLS_VERSION_COUNT; version++)
		if (!tls->versions[version])
			view_append_text(refused, words[version]);
	view_set(object, "refused_versions", refused);
	if (tls->ciphers[0])
		view_set_text(object, "ciphers", tls->ciphers);
	if (tls->alpn_protocols[0])
		view_set_text(object, "alpn", tls->alpn_protocols);
}

void tls_view_set_certificate(json_t *object, const char *key, const struct haproxy_scope *scope,
	const struct certificate_name *name)
{
	cleanup_free char *path = xformat("%s/%s", scope->certificates, name->text);

	if (name->text[0])
		view_set_text(object, key, path);
}

void tls_view_append_certificate(
	json_t *array, const struct haproxy_scope *scope, const struct certificate_name *name)
{
	cleanup_free char *path = xformat("%s/%s", scope->certificates, name->text);

	view_append_text(array, path);
}
