/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/pem.h"

#include <errno.h>
#include <string.h>

static const char begin_mark[] = "-----BEGIN ";
static const char end_mark[] = "-----END ";
static const char dashes[] = "-----";

enum { LABEL_MAX_BYTES = 64 };

/* Moves the cursor behind the next occurrence of mark; that occurrence, or NULL. */
static const char *cursor_find(struct pem_cursor *cursor, const char *mark)
{
	size_t mark_size = strlen(mark);
	const char *found = NULL;

	if (cursor->size_bytes >= mark_size)
		found = memmem(cursor->text, cursor->size_bytes, mark, mark_size);
	if (!found)
		return NULL;
	cursor->size_bytes -= (size_t)(found - cursor->text) + mark_size;
	cursor->text = found + mark_size;
	return found;
}

/* Moves the cursor behind text, which must come right here. */
static bool cursor_take(struct pem_cursor *cursor, const char *text, size_t size)
{
	if (cursor->size_bytes < size || memcmp(cursor->text, text, size) != 0)
		return false;
	cursor->text += size;
	cursor->size_bytes -= size;
	return true;
}

static bool label_take(struct pem_cursor *cursor, struct pem_block *block)
{
	const char *end;

	block->label = cursor->text;
	end = cursor_find(cursor, dashes);
	if (!end)
		return false;
	block->label_size_bytes = (size_t)(end - block->label);
	return block->label_size_bytes > 0 && block->label_size_bytes <= LABEL_MAX_BYTES &&
	       !memchr(block->label, '\n', block->label_size_bytes);
}

int pem_next(struct pem_cursor *cursor, struct pem_block *ret_block, struct err *err)
{
	struct pem_cursor at = *cursor;
	struct pem_block block = {0};

	block.text = cursor_find(&at, begin_mark);
	if (!block.text)
		return 0;
	if (!label_take(&at, &block))
		return err_set(err, -EINVAL, "no valid PEM: a BEGIN line is not finished");
	if (!cursor_find(&at, end_mark) || !cursor_take(&at, block.label, block.label_size_bytes) ||
		!cursor_take(&at, dashes, strlen(dashes)))
		return err_set(err, -EINVAL, "no valid PEM: the block %.*s has no END line",
			(int)block.label_size_bytes, block.label);
	block.size_bytes = (size_t)(at.text - block.text);
	*cursor = at;
	*ret_block = block;
	return 1;
}

bool pem_block_is(const struct pem_block *block, const char *label)
{
	return block->label_size_bytes == strlen(label) &&
	       memcmp(block->label, label, block->label_size_bytes) == 0;
}
