/* SPDX-License-Identifier: Apache-2.0 */
#include "drive/drive_file.h"

#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"

static const char *const kernel_folders[] = {"/proc", "/sys", "/dev"};

int drive_file_path_parse(
	const char *data, size_t size_bytes, struct tree_path *ret_path, struct err *err)
{
	struct tree_path path;
	int r = tree_path_parse(data, size_bytes, &path, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < sizeof(kernel_folders) / sizeof(kernel_folders[0]); i++)
		if (tree_path_is_in(&path, kernel_folders[i]))
			return err_set(err, -EINVAL,
				"path '%s' is refused: what is in %s is the kernel's", path.text,
				kernel_folders[i]);
	*ret_path = path;
	return 0;
}

int drive_files_add(struct drive_files *files, const struct tree_path *path, struct buf *content,
	struct err *err)
{
	size_t size_bytes = content->size_bytes;

	if (files->count == DRIVE_FILES_MAX)
		return err_set(err, -E2BIG, "more than %d files", DRIVE_FILES_MAX);
	files->items = xrealloc_array(files->items, files->count + 1, sizeof(*files->items));
	files->items[files->count++] = (struct drive_file){
		.path = *path,
		.content = buf_take_text(content),
		.size_bytes = size_bytes,
	};
	return 0;
}

void drive_files_deinit(struct drive_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		free(files->items[i].content);
	free(files->items);
	*files = (struct drive_files){0};
}
