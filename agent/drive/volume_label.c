/* SPDX-License-Identifier: Apache-2.0 */
#include "drive/volume_label.h"

#include <string.h>

/* Where a format says what it is, and where its label stands. */
struct format {
	const char *file_system;
	size_t magic_at;
	const char *magic;
	size_t label_at;
	size_t label_bytes;
};

static const struct format formats[] = {
	{"iso9660", 0x8000, "\1CD001", 0x8028, 32}, /* a primary volume descriptor */
	{"vfat", 0x36, "FAT12   ", 0x2b, 11},
	{"vfat", 0x36, "FAT16   ", 0x2b, 11},
	{"vfat", 0x52, "FAT32   ", 0x47, 11},
};

static bool bytes_are(const uint8_t *head, size_t size_bytes, size_t at, const void *expected,
	size_t expected_bytes)
{
	return size_bytes >= at + expected_bytes &&
	       memcmp(head + at, expected, expected_bytes) == 0;
}

static bool format_matches(const struct format *format, const uint8_t *head, size_t size_bytes)
{
	bool is_fat = format->magic_at < 512;

	return bytes_are(
		       head, size_bytes, format->magic_at, format->magic, strlen(format->magic)) &&
	       (!is_fat || bytes_are(head, size_bytes, 0x1fe, "\x55\xaa", 2)) &&
	       size_bytes >= format->label_at + format->label_bytes;
}

bool volume_label_parse(const uint8_t *head, size_t size_bytes, struct volume_label *ret_label)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		const struct format *format = &formats[i];
		size_t length = format->label_bytes;

		if (!format_matches(format, head, size_bytes))
			continue;
		memcpy(ret_label->text, head + format->label_at, length);
		while (length > 0 && ret_label->text[length - 1] == ' ')
			length--;
		ret_label->text[length] = '\0';
		ret_label->file_system = format->file_system;
		return true;
	}
	return false;
}
