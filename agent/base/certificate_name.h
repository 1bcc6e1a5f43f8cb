/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file name of an uploaded PEM: [0-9A-Za-z_.-]+.pem, not starting with '.'. It lies in its load
 * balancer's folder of certificates. A plain value. Used by the agent and amphoractl.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/file.h"

/* A file name has 255 bytes, of which its temporary (base/file.h) needs some. */
enum { CERTIFICATE_NAME_MAX = 255 - FILE_TEMPORARY_EXTRA };

struct certificate_name {
	char text[CERTIFICATE_NAME_MAX + 1];
};

/* -EINVAL with a text that says what a name is. */
int certificate_name_parse(
	const char *data, size_t size_bytes, struct certificate_name *ret_name, struct err *err);
