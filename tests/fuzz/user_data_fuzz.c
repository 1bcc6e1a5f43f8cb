/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: user data (drive/user_data.h). Whatever the bytes, they are refused with a reason,
 * or every file has a path that goes down from the root, and a content that ends with one newline.
 */
#include "drive/user_data.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

static void file_check(const struct drive_file *file)
{
	struct tree_path path;

	if (drive_file_path_parse(file->path.text, strlen(file->path.text), &path, NULL) < 0 ||
		strlen(file->content) != file->size_bytes)
		abort();
	if (file->size_bytes == 0)
		return;
	if (file->content[file->size_bytes - 1] != '\n' ||
		(file->size_bytes > 1 && file->content[file->size_bytes - 2] == '\n'))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	CLEANUP(user_data_deinit) struct user_data user_data = {0};
	struct err err = ERR_NONE;
	int r = user_data_parse((const char *)data, size_bytes, &user_data, &err);

	if (r < 0 && err.text[0] == '\0')
		abort();
	for (size_t i = 0; r == 0 && i < user_data.files.count; i++)
		file_check(&user_data.files.items[i]);
	if (strstr(user_data.timezone, "..") || user_data.timezone[0] == '/')
		abort();
	return 0;
}
