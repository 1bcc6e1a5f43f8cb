/* SPDX-License-Identifier: Apache-2.0 */
#include "model/tls.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/text.h"
#include "model/reader.h"

/* Octavia's API and database. */
enum { CIPHERS_CHARACTERS_MAX = 2048, WORD_CHARACTERS_MAX = 32, ALPN_TEXT_MAX = 64 };
enum { ALPN_COUNT = 3 };

/* CIPHERS_OWASP_SUITE_B of Octavia 2026.1; bookworm's 11.0.0 has an older list. */
static const char default_ciphers[] =
	"TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:"
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
	"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
	"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
	"DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:DHE-RSA-CHACHA20-POLY1305";

static const char *const version_names[TLS_VERSION_COUNT] = {
	[TLS_SSLV3] = "SSLv3",
	[TLS_TLSV1] = "TLSv1",
	[TLS_TLSV1_1] = "TLSv1.1",
	[TLS_TLSV1_2] = "TLSv1.2",
	[TLS_TLSV1_3] = "TLSv1.3",
};

/* In the order of Octavia's default. */
static const char *const alpn_names[ALPN_COUNT] = {"h2", "http/1.1", "http/1.0"};

static bool is_cipher_list(const char *text)
{
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && !strchr("-+!:@=_.", *text))
			return false;
	return true;
}

static void read_ciphers(struct reader *reader, enum tls_defaults defaults, struct tls *tls)
{
	const char *text = reader_text(reader, "tls_ciphers", CIPHERS_CHARACTERS_MAX);

	if (text && !is_cipher_list(text))
		reader_fault(reader, "tls_ciphers",
			"must be an OpenSSL cipher list: names of letters, digits and any of "
			"\"-+!:@=_.\"");
	if (text && text[0])
		tls->ciphers = xstrdup(text);
	else
		tls->ciphers = xstrdup(defaults == TLS_DEFAULTS_OCTAVIA ? default_ciphers : "");
}

/* The index of the text among the names, or count with a fault. */
static size_t find_word(
	struct reader_list *list, const char *text, const char *const names[], size_t count)
{
	cleanup_buf struct buf words = BUF_INIT(1 * KIB);

	for (size_t i = 0; i < count; i++) {
		if (text_equal(text, names[i]))
			return i;
		buf_append_format(&words, "%s%s", i ? ", " : "", names[i]);
	}
	reader_list_fault(list, "must be one of %s", buf_text(&words));
	return count;
}

/* Whether the key's list says something; faults where an empty one would. */
static bool enter_words(struct reader *reader, const char *key, enum tls_defaults defaults,
	struct reader_list *ret_list)
{
	if (!reader_enter_list(reader, key, ret_list))
		return false;
	if (reader_list_size(ret_list) > 0)
		return true;
	if (defaults == TLS_DEFAULTS_OCTAVIA)
		reader_fault(
			reader, key, "must not be empty: without the key, Octavia's default holds");
	return false;
}

static void read_versions(struct reader *reader, enum tls_defaults defaults, struct tls *tls)
{
	struct reader_list list;
	const char *text;

	if (!enter_words(reader, "tls_versions", defaults, &list)) {
		for (size_t i = 0; i < TLS_VERSION_COUNT; i++)
			tls->versions[i] = defaults == TLS_DEFAULTS_NONE || i >= TLS_TLSV1_2;
		return;
	}
	while (reader_list_next_text(&list, WORD_CHARACTERS_MAX, &text)) {
		size_t version = find_word(&list, text, version_names, TLS_VERSION_COUNT);

		if (version < TLS_VERSION_COUNT)
			tls->versions[version] = true;
	}
}

static void read_alpn(struct reader *reader, enum tls_defaults defaults, struct tls *tls)
{
	cleanup_buf struct buf protocols = BUF_INIT(ALPN_TEXT_MAX);
	bool named[ALPN_COUNT] = {false};
	struct reader_list list;
	const char *text;

	if (!enter_words(reader, "alpn_protocols", defaults, &list)) {
		tls->alpn_protocols =
			xstrdup(defaults == TLS_DEFAULTS_OCTAVIA ? "h2,http/1.1,http/1.0" : "");
		return;
	}
	while (reader_list_next_text(&list, WORD_CHARACTERS_MAX, &text)) {
		size_t protocol = find_word(&list, text, alpn_names, ALPN_COUNT);

		/* What is preferred stands first; a second time it says nothing. */
		if (protocol == ALPN_COUNT || named[protocol])
			continue;
		named[protocol] = true;
		buf_append_format(&protocols, "%s%s", protocols.size_bytes ? "," : "", text);
	}
	tls->alpn_protocols = buf_take_text(&protocols);
}

void tls_parse(struct reader *reader, enum tls_defaults defaults, struct tls *ret_tls)
{
	*ret_tls = (struct tls){0};
	read_ciphers(reader, defaults, ret_tls);
	read_versions(reader, defaults, ret_tls);
	read_alpn(reader, defaults, ret_tls);
}

void tls_deinit(struct tls *tls)
{
	free(tls->ciphers);
	free(tls->alpn_protocols);
}
