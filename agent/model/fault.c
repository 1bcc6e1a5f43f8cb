/* SPDX-License-Identifier: Apache-2.0 */
#include "model/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/text.h"
#include "model/pointer.h"

/* Keys come from outside: a reader refuses long ones before they get here, this is the last line.
 */
enum { POINTER_MAX = 4 * KIB, TEXT_MAX = 1 * KIB };

static void append_place(const struct place *place, struct buf *pointer)
{
	if (!place->parent)
		return;
	append_place(place->parent, pointer);
	if (place->key)
		pointer_append_key(pointer, place->key);
	else
		pointer_append_index(pointer, place->index);
}

static void list_add(struct fault_list *list, const struct place *place, const char *key,
	const char *format, va_list arguments)
{
	cleanup_buf struct buf pointer = BUF_INIT(POINTER_MAX);
	char text[TEXT_MAX];
	struct fault *fault;

	if (list->count == FAULTS_MAX) {
		list->left_out++;
		return;
	}
	append_place(place, &pointer);
	if (key)
		pointer_append_key(&pointer, key);
	vsnprintf(text, sizeof(text), format, arguments);
	fault = &list->items[list->count++];
	*fault = (struct fault){.path = buf_take_text(&pointer), .text = xstrdup(text)};
	/* What was cut may end in a part of a character, which no JSON can hold. */
	text_repair_utf8(fault->path);
	text_repair_utf8(fault->text);
}

void faults_add(
	struct faults *faults, const struct place *place, const char *key, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	list_add(&faults->errors, place, key, format, arguments);
	va_end(arguments);
}

void faults_warn(
	struct faults *faults, const struct place *place, const char *key, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	list_add(&faults->warnings, place, key, format, arguments);
	va_end(arguments);
}

static void list_deinit(struct fault_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->items[i].path);
		free(list->items[i].text);
	}
	list->count = 0;
	list->left_out = 0;
}

void faults_deinit(struct faults *faults)
{
	list_deinit(&faults->errors);
	list_deinit(&faults->warnings);
}
