/* SPDX-License-Identifier: Apache-2.0 */
#include "drive/ssh_key.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/text.h"

#define LETTERS_AND_DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define TYPE_CHARACTERS    LETTERS_AND_DIGITS "-@."
#define BASE64_CHARACTERS  LETTERS_AND_DIGITS "+/="

static bool type_is_known(const char *type)
{
	static const char *const beginnings[] = {"ssh-", "ecdsa-", "sk-"};

	for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++)
		if (text_starts_with(type, beginnings[i]))
			return true;
	return false;
}

int ssh_key_check(const char *text, struct err *err)
{
	size_t size_bytes;
	const char *key = text_trim(text, strlen(text), &size_bytes);
	size_t type_bytes = strspn(key, TYPE_CHARACTERS);
	size_t base64_bytes;

	if (size_bytes > SSH_KEY_SIZE_MAX)
		return err_set(err, -EINVAL, "is longer than %d bytes", SSH_KEY_SIZE_MAX);
	for (size_t i = 0; i < size_bytes; i++)
		if ((unsigned char)key[i] < 0x20 || key[i] == 0x7f)
			return err_set(err, -EINVAL, "is more than one line");
	if (!type_is_known(key) || key[type_bytes] != ' ')
		return err_set(err, -EINVAL, "does not begin with the type of a key");
	base64_bytes = strspn(key + type_bytes + 1, BASE64_CHARACTERS);
	if (base64_bytes == 0 || !strchr(" \r\n\t", key[type_bytes + 1 + base64_bytes]))
		return err_set(err, -EINVAL, "has no base64 behind its type");
	return 0;
}

static bool has_line(const struct buf *text, const char *line, size_t line_bytes)
{
	for (const char *at = buf_text(text); *at;) {
		const char *end = strchrnul(at, '\n');

		if ((size_t)(end - at) == line_bytes && memcmp(at, line, line_bytes) == 0)
			return true;
		at = *end ? end + 1 : end;
	}
	return false;
}

void ssh_key_authorize(const char *key, struct buf *authorized_keys)
{
	size_t key_bytes;
	const char *line = text_trim(key, strlen(key), &key_bytes);
	size_t old_bytes = authorized_keys->size_bytes;

	if (has_line(authorized_keys, line, key_bytes))
		return;
	if (old_bytes > 0 && authorized_keys->data[old_bytes - 1] != '\n')
		buf_append_char(authorized_keys, '\n');
	buf_append(authorized_keys, line, key_bytes);
	buf_append_char(authorized_keys, '\n');
}
