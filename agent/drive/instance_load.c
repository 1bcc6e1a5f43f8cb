/* SPDX-License-Identifier: Apache-2.0 */
#include "drive/instance.h"

#include <errno.h>

#include "base/log.h"
#include "drive/json.h"

/* The dated folders beside it are for readers of their time. */
#define LATEST         "/openstack/latest/"
#define METADATA_FILE  LATEST "meta_data.json"
#define NETWORK_FILE   LATEST "network_data.json"
#define USER_DATA_FILE LATEST "user_data"
/* What content paths count from. */
#define CONTENT_TOP "/openstack"

int instance_identify(const struct tree *drive, struct instance *ret_instance, struct err *err)
{
	cleanup_buf struct buf text = BUF_INIT(DRIVE_JSON_SIZE_MAX);
	int r = tree_read(drive, METADATA_FILE, &text, err);

	if (r < 0)
		return r;
	r = metadata_parse(buf_text(&text), text.size_bytes, &ret_instance->metadata, err);
	return r < 0 ? err_wrap(err, r, "meta_data.json") : 0;
}

static int injected_load(const struct tree *drive, const struct injected_file *file,
	struct drive_files *files, struct err *err)
{
	cleanup_buf struct buf content = BUF_INIT(DRIVE_FILE_SIZE_MAX);
	char path[sizeof(CONTENT_TOP) + TREE_PATH_MAX];
	int r;

	snprintf(path, sizeof(path), CONTENT_TOP "%s", file->content_path.text);
	r = tree_read(drive, path, &content, err);
	if (r == 0)
		r = drive_files_add(files, &file->path, &content, err);
	return r < 0 ? err_wrap(err, r, "content of %s", file->path.text) : 0;
}

static int user_data_load(
	const struct tree *drive, struct user_data *ret_user_data, struct err *err)
{
	cleanup_buf struct buf text = BUF_INIT(USER_DATA_SIZE_MAX);
	int r = tree_read(drive, USER_DATA_FILE, &text, err);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	r = user_data_parse(buf_text(&text), text.size_bytes, ret_user_data, err);
	return r < 0 ? err_wrap(err, r, "user_data") : 0;
}

static void network_load(const struct tree *drive, struct network_data *ret_network)
{
	cleanup_buf struct buf text = BUF_INIT(DRIVE_JSON_SIZE_MAX);
	struct err problem = ERR_NONE;
	int r = tree_read(drive, NETWORK_FILE, &text, &problem);

	if (r == 0)
		r = network_data_parse(buf_text(&text), text.size_bytes, ret_network, &problem);
	if (r < 0)
		log_warning("network_data.json cannot be used: %s", problem.text);
}

int instance_load(const struct tree *drive, struct instance *instance, struct err *err)
{
	const struct metadata *metadata = &instance->metadata;

	for (size_t i = 0; i < metadata->file_count; i++) {
		int r = injected_load(drive, &metadata->files[i], &instance->injected, err);

		if (r < 0)
			return r;
	}
	network_load(drive, &instance->network);
	return user_data_load(drive, &instance->user_data, err);
}

void instance_deinit(struct instance *instance)
{
	metadata_deinit(&instance->metadata);
	drive_files_deinit(&instance->injected);
	user_data_deinit(&instance->user_data);
	network_data_deinit(&instance->network);
}
