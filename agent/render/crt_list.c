/* SPDX-License-Identifier: Apache-2.0 */
#include "render/crt_list.h"

#include <stdio.h>

#include "sys/digest.h"

/* A line of HAProxy has 64 words, each certificate takes two, and the rest of a `bind` up to 17. */
enum { CERTIFICATES_A_LINE = 20 };

bool crt_list_is_needed(const struct listener *listener)
{
	return listener->tls.sni_certificate_count >= CERTIFICATES_A_LINE;
}

void crt_list_render(const struct listener *listener, const char *folder, struct buf *ret_text,
	struct certificate_name *ret_name)
{
	const struct listener_tls *tls = &listener->tls;
	size_t start = ret_text->size_bytes;
	char digest[MD5_HEX_SIZE + 1];

	buf_append_format(ret_text, "%s/%s\n", folder, tls->certificate.text);
	for (size_t i = 0; i < tls->sni_certificate_count; i++)
		buf_append_format(ret_text, "%s/%s\n", folder, tls->sni_certificates[i].text);
	digest_md5_hex(buf_text(ret_text) + start, ret_text->size_bytes - start, digest);
	snprintf(ret_name->text, sizeof(ret_name->text), "crt-list-%s.pem", digest);
}
