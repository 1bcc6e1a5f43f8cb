/* SPDX-License-Identifier: Apache-2.0 */
#include "base/certificate_name.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

static const char suffix[] = ".pem";

static bool has_name_form(const char *data, size_t size_bytes)
{
	if (size_bytes <= strlen(suffix) || size_bytes > CERTIFICATE_NAME_MAX || data[0] == '.' ||
		memcmp(data + size_bytes - strlen(suffix), suffix, strlen(suffix)) != 0)
		return false;
	for (size_t i = 0; i < size_bytes; i++)
		if (!isascii(data[i]) ||
			(!isalnum((unsigned char)data[i]) && !strchr("_.-", data[i])) || !data[i])
			return false;
	return true;
}

int certificate_name_parse(
	const char *data, size_t size_bytes, struct certificate_name *ret_name, struct err *err)
{
	if (!has_name_form(data, size_bytes))
		return err_set(err, -EINVAL,
			"certificate name is not valid: NAME%s, at most %d letters, digits, '_', "
			"'-' and '.', not starting with '.'",
			suffix, CERTIFICATE_NAME_MAX);
	memcpy(ret_name->text, data, size_bytes);
	ret_name->text[size_bytes] = '\0';
	return 0;
}
