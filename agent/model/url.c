/* SPDX-License-Identifier: Apache-2.0 */
#include "model/url.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/address.h"
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/text.h"

#define HOST_PUNCTUATION "-._~!$&'()*+,;="

/* RFC 3986: what may stand in a host's name, and with ':' in a user's. */
static bool is_name(const char *text, const char *punctuation)
{
	for (; *text; text++) {
		if (isalnum((unsigned char)*text) || strchr(punctuation, *text))
			continue;
		if (*text != '%' || !isxdigit((unsigned char)text[1]) ||
			!isxdigit((unsigned char)text[2]))
			return false;
	}
	return true;
}

/* "", ":" or ":8080". */
static bool is_port(const char *text)
{
	uint64_t port;

	return text_equal(text, "") || text_equal(text, ":") ||
	       (*text == ':' && text_parse_u64(text + 1, 0, UINT16_MAX, &port) == 0);
}

/* "[2001:db8::1]:8080"; writes into text. */
static bool is_bracketed(char *text)
{
	struct address address;
	char *end = strchr(text, ']');

	if (!end)
		return false;
	*end = '\0';
	return address_parse(text + 1, &address) == 0 && address.family == AF_INET6 &&
	       is_port(end + 1);
}

/* "user@host:8080"; writes into text. */
static bool is_authority(char *text)
{
	char *at = strrchr(text, '@');
	char *host = at ? at + 1 : text;
	char *port;

	if (at) {
		*at = '\0';
		if (!is_name(text, HOST_PUNCTUATION ":"))
			return false;
	}
	if (*host == '[')
		return is_bracketed(host);
	port = host + strcspn(host, ":");
	if (!is_port(port))
		return false;
	*port = '\0';
	return *host && is_name(host, HOST_PUNCTUATION);
}

const char *url_fault(const char *text)
{
	cleanup_free char *authority = NULL;
	cleanup_free char *path = NULL;

	if (strncasecmp(text, "http://", 7) == 0)
		text += 7;
	else if (strncasecmp(text, "https://", 8) == 0)
		text += 8;
	else
		return "must be a URL that begins with http:// or https://";
	if (strchr(text, ' '))
		return "must not hold a space: write %20";
	authority = xmemdup_text(text, strcspn(text, "/?#"));
	if (!is_authority(authority))
		return "must be a URL with a host";
	text += strcspn(text, "/?#");
	path = xmemdup_text(text, strcspn(text, "?#"));
	if (strpbrk(path, "[]"))
		return "must not hold '[' or ']' in its path: write %5B and %5D";
	return NULL;
}
