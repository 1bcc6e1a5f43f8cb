/* SPDX-License-Identifier: Apache-2.0 */
#include "base/id.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

/* What shares base_path with the load balancers. */
static const char *const reserved[] = {"vrrp", "lvs", "certs", "heartbeat", "plugged_interfaces"};

static bool is_id_char(char c, bool first)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       c == '_' || (c == '-' && !first);
}

static bool has_id_form(const char *data, size_t size_bytes)
{
	if (size_bytes == 0 || size_bytes > ID_SIZE_MAX)
		return false;
	for (size_t i = 0; i < size_bytes; i++)
		if (!is_id_char(data[i], i == 0))
			return false;
	return true;
}

int id_parse(
	const char *data, size_t size_bytes, const char *what, struct id *ret_id, struct err *err)
{
	struct id id;

	if (!has_id_form(data, size_bytes))
		return err_set(err, -EINVAL,
			"%s is not valid: 1 to %d letters, digits, '_' and '-', not starting with "
			"'-'",
			what, ID_SIZE_MAX);
	memcpy(id.text, data, size_bytes);
	id.text[size_bytes] = '\0';
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (text_equal(id.text, reserved[i]))
			return err_set(err, -EINVAL, "%s is not valid: '%s' is a reserved name",
				what, id.text);
	*ret_id = id;
	return 0;
}

bool id_is_valid(const char *text)
{
	struct id id;

	return id_parse(text, strlen(text), "id", &id, NULL) == 0;
}

bool id_equal(const struct id *a, const struct id *b)
{
	return text_equal(a->text, b->text);
}
