/* SPDX-License-Identifier: Apache-2.0 */
#include "model/pointer.h"

void pointer_append_key(struct buf *pointer, const char *key)
{
	buf_append_char(pointer, '/');
	for (; *key; key++) {
		if (*key == '~')
			buf_append_text(pointer, "~0");
		else if (*key == '/')
			buf_append_text(pointer, "~1");
		else
			buf_append_char(pointer, *key);
	}
}

void pointer_append_index(struct buf *pointer, size_t index)
{
	buf_append_format(pointer, "/%zu", index);
}
