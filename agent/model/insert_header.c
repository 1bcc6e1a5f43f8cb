/* SPDX-License-Identifier: Apache-2.0 */
#include "model/insert_header.h"

#include "base/text.h"
#include "model/reader.h"

static const char *const names[INSERT_HEADER_COUNT] = {
	[INSERT_X_FORWARDED_FOR] = "X-Forwarded-For",
	[INSERT_X_FORWARDED_PORT] = "X-Forwarded-Port",
	[INSERT_X_FORWARDED_PROTO] = "X-Forwarded-Proto",
	[INSERT_X_SSL_CLIENT_VERIFY] = "X-SSL-Client-Verify",
	[INSERT_X_SSL_CLIENT_HAS_CERT] = "X-SSL-Client-Has-Cert",
	[INSERT_X_SSL_CLIENT_DN] = "X-SSL-Client-DN",
	[INSERT_X_SSL_CLIENT_CN] = "X-SSL-Client-CN",
	[INSERT_X_SSL_ISSUER] = "X-SSL-Issuer",
	[INSERT_X_SSL_CLIENT_SHA1] = "X-SSL-Client-SHA1",
	[INSERT_X_SSL_CLIENT_NOT_BEFORE] = "X-SSL-Client-Not-Before",
	[INSERT_X_SSL_CLIENT_NOT_AFTER] = "X-SSL-Client-Not-After",
};

const char *insert_header_name(enum insert_header header)
{
	return names[header];
}

/* A text in Octavia's API, in any case; a person may well write the boolean. */
static bool read_flag(struct reader *reader, const char *name)
{
	const json_t *value = reader_value(reader, name);
	const char *text = json_string_value(value);

	if (text && text_equal_nocase(text, "true"))
		return true;
	if (text ? !text_equal_nocase(text, "false") : value && !json_is_boolean(value))
		reader_fault(reader, name, "must be \"true\" or \"false\"");
	return json_is_true(value);
}

void insert_headers_parse(
	struct reader *reader, bool ends_tls, bool ret_headers[static INSERT_HEADER_COUNT])
{
	struct reader headers;

	for (size_t i = 0; i < INSERT_HEADER_COUNT; i++)
		ret_headers[i] = false;
	if (!reader_enter_object(reader, "insert_headers", &headers))
		return;
	for (size_t i = 0; i < INSERT_HEADER_COUNT; i++) {
		ret_headers[i] = read_flag(&headers, names[i]);
		if (!ends_tls && i >= INSERT_X_SSL_CLIENT_VERIFY && reader_has(&headers, names[i]))
			reader_fault(&headers, names[i], "needs a TERMINATED_HTTPS listener");
	}
	reader_finish(&headers, NULL);
}
