/* SPDX-License-Identifier: Apache-2.0 */
#include "render/view.h"

#include <stdlib.h>

void view_set(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new_nocheck(object, key, value) < 0)
		abort();
}

void view_set_text(json_t *object, const char *key, const char *text)
{
	view_set(object, key, json_string_nocheck(text));
}

void view_set_number(json_t *object, const char *key, long number)
{
	view_set(object, key, json_integer(number));
}

void view_set_address(json_t *object, const char *key, const struct address *address)
{
	char text[ADDRESS_TEXT_MAX];

	address_format(address, text);
	view_set_text(object, key, text);
}

void view_append(json_t *array, json_t *value)
{
	if (json_array_append_new(array, value) < 0)
		abort();
}

void view_append_address(json_t *array, const struct address *address)
{
	char text[ADDRESS_TEXT_MAX];

	address_format(address, text);
	view_append(array, json_string_nocheck(text));
}
