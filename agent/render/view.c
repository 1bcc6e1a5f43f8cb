/* SPDX-License-Identifier: Apache-2.0 */
#include "render/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "[2001:db8::1]", "[2001:db8::1]:65535" */
enum { HOST_TEXT_MAX = ADDRESS_TEXT_MAX + 2, END_TEXT_MAX = HOST_TEXT_MAX + 6 };

void view_set(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new_nocheck(object, key, value) < 0)
		abort();
}

void view_append(json_t *array, json_t *value)
{
	if (json_array_append_new(array, value) < 0)
		abort();
}

void view_set_text(json_t *object, const char *key, const char *text)
{
	view_set(object, key, text ? json_string_nocheck(text) : json_null());
}

void view_append_text(json_t *array, const char *text)
{
	view_append(array, json_string_nocheck(text));
}

void view_set_number(json_t *object, const char *key, long number)
{
	view_set(object, key, json_integer(number));
}

void view_set_flag(json_t *object, const char *key, bool is_so)
{
	view_set(object, key, json_boolean(is_so));
}

void view_set_address(json_t *object, const char *key, const struct address *address)
{
	char text[ADDRESS_TEXT_MAX];

	if (address->family == 0)
		return;
	address_format(address, text);
	view_set_text(object, key, text);
}

void view_append_address(json_t *array, const struct address *address)
{
	char text[ADDRESS_TEXT_MAX];

	address_format(address, text);
	view_append_text(array, text);
}

static void host_format(const struct address *address, char text[static HOST_TEXT_MAX])
{
	char plain[ADDRESS_TEXT_MAX];

	if (address->family != AF_INET6) {
		address_format(address, text);
		return;
	}
	address_format(address, plain);
	snprintf(text, HOST_TEXT_MAX, "[%s]", plain);
}

void view_set_host(json_t *object, const char *key, const struct address *address)
{
	char text[HOST_TEXT_MAX];

	host_format(address, text);
	view_set_text(object, key, text);
}

static void end_format(
	const struct address *address, in_port_t port, char text[static END_TEXT_MAX])
{
	size_t length;

	host_format(address, text);
	length = strlen(text);
	snprintf(text + length, END_TEXT_MAX - length, ":%u", port);
}

void view_set_end(json_t *object, const char *key, const struct address *address, in_port_t port)
{
	char text[END_TEXT_MAX];

	end_format(address, port, text);
	view_set_text(object, key, text);
}

void view_append_end(json_t *array, const struct address *address, in_port_t port)
{
	char text[END_TEXT_MAX];

	end_format(address, port, text);
	view_append_text(array, text);
}
