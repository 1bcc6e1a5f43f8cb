/* SPDX-License-Identifier: Apache-2.0 */
#include "model/text_index.h"

bool text_index_add(struct text_index *index, const char *text, size_t number)
{
	/* jansson's objects are hash tables with a random seed. */
	if (!index->numbers)
		index->numbers = json_object();
	if (json_object_get(index->numbers, text))
		return false;
	/* Without memory the program ends (base/alloc.h). */
	if (json_object_set_new_nocheck(index->numbers, text, json_integer((json_int_t)number)) < 0)
		abort();
	return true;
}

bool text_index_find(const struct text_index *index, const char *text, size_t *ret_number)
{
	const json_t *number = json_object_get(index->numbers, text);

	if (!number)
		return false;
	*ret_number = (size_t)json_integer_value(number);
	return true;
}

void text_index_deinit(struct text_index *index)
{
	json_decref(index->numbers);
	index->numbers = NULL;
}
