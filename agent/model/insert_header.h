/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The headers that a listener can add to the requests that it passes on (model.md, "The JSON").
 * Plain values. Used by the agent and amphoractl.
 */
#pragma once

#include <stdbool.h>

/* In the order of Octavia's templates. */
enum insert_header {
	INSERT_X_FORWARDED_FOR,
	INSERT_X_FORWARDED_PORT,
	INSERT_X_FORWARDED_PROTO,
	INSERT_X_SSL_CLIENT_VERIFY,
	INSERT_X_SSL_CLIENT_HAS_CERT,
	INSERT_X_SSL_CLIENT_DN,
	INSERT_X_SSL_CLIENT_CN,
	INSERT_X_SSL_ISSUER,
	INSERT_X_SSL_CLIENT_SHA1,
	INSERT_X_SSL_CLIENT_NOT_BEFORE,
	INSERT_X_SSL_CLIENT_NOT_AFTER,
	INSERT_HEADER_COUNT,
};

/* "X-Forwarded-For" */
const char *insert_header_name(enum insert_header header);

struct reader;

/*
 * Reads the listener's insert_headers; faults go to the reader's. As Octavia's API has it, those
 * that tell of a client's certificate are for listeners that end TLS.
 */
void insert_headers_parse(
	struct reader *reader, bool ends_tls, bool ret_headers[static INSERT_HEADER_COUNT]);
