/* SPDX-License-Identifier: Apache-2.0 */
#include "drive/metadata.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "drive/drive_file.h"
#include "drive/json.h"
#include "drive/ssh_key.h"

DEFINE_CLEANUP(json_t *, json_decref);

static int uuid_parse(const json_t *root, struct id *ret_uuid, struct err *err)
{
	const char *text = json_string_value(json_object_get(root, "uuid"));

	if (!text)
		return err_set(err, -EINVAL, "uuid: missing, so nobody knows whose drive this is");
	return id_parse(text, strlen(text), "uuid", ret_uuid, err);
}

static int injected_file_parse(const json_t *value, struct injected_file *ret_file, struct err *err)
{
	const char *path = json_string_value(json_object_get(value, "path"));
	const char *content_path = json_string_value(json_object_get(value, "content_path"));
	int r;

	if (!path || !content_path)
		return err_set(err, -EINVAL, "path and content_path must be there, and texts");
	r = drive_file_path_parse(path, strlen(path), &ret_file->path, err);
	if (r < 0)
		return r;
	r = tree_path_parse(content_path, strlen(content_path), &ret_file->content_path, err);
	return r < 0 ? err_wrap(err, r, "content of %s", path) : 0;
}

static int files_parse(const json_t *root, struct metadata *metadata, struct err *err)
{
	const json_t *list = json_object_get(root, "files");
	size_t count = json_array_size(list);

	if (list && !json_is_array(list))
		return err_set(err, -EINVAL, "files: must be a list");
	if (count > DRIVE_FILES_MAX)
		return err_set(err, -EINVAL, "files: more than %d", DRIVE_FILES_MAX);
	metadata->files = xcalloc(count, sizeof(*metadata->files));
	for (; metadata->file_count < count; metadata->file_count++) {
		size_t index = metadata->file_count;
		int r = injected_file_parse(
			json_array_get(list, index), &metadata->files[index], err);

		if (r < 0)
			return err_wrap(err, r, "files: number %zu", index + 1);
	}
	return 0;
}

static void host_name_take(const json_t *root, struct metadata *metadata)
{
	const char *text = json_string_value(json_object_get(root, "hostname"));
	struct err problem = ERR_NONE;
	struct host_name name;

	if (!text)
		log_warning("meta_data.json has no hostname: the machine keeps its own");
	else if (host_name_parse(text, &name, &problem) < 0)
		log_warning("meta_data.json: hostname is not used: %s", problem.text);
	else {
		metadata->host_name = xcalloc(1, sizeof(*metadata->host_name));
		*metadata->host_name = name;
	}
}

static void public_keys_take(json_t *root, struct metadata *metadata)
{
	json_t *keys = json_object_get(root, "public_keys");
	const char *name;
	json_t *value;

	metadata->public_keys = xcalloc(METADATA_KEYS_MAX, sizeof(*metadata->public_keys));
	json_object_foreach(keys, name, value)
	{
		struct err problem = ERR_NONE;
		const char *text = json_string_value(value);

		if (metadata->public_key_count == METADATA_KEYS_MAX) {
			log_warning(
				"meta_data.json: more than %d public keys: the rest is left out",
				METADATA_KEYS_MAX);
			return;
		}
		if (!text)
			err_set(&problem, -EINVAL, "is no text");
		if (text && ssh_key_check(text, &problem) == 0)
			metadata->public_keys[metadata->public_key_count++] = xstrdup(text);
		else
			log_warning("meta_data.json: public key '%.100s' is not used: it %s", name,
				problem.text);
	}
}

static void random_seed_take(const json_t *root, struct metadata *metadata)
{
	const json_t *seed = json_object_get(root, "random_seed");

	if (!json_is_string(seed))
		return;
	if (json_string_length(seed) > METADATA_RANDOM_SEED_MAX)
		log_warning("meta_data.json: random_seed is not used: longer than %d bytes",
			METADATA_RANDOM_SEED_MAX);
	else
		metadata->random_seed = xstrdup(json_string_value(seed));
}

int metadata_parse(
	const char *text, size_t size_bytes, struct metadata *ret_metadata, struct err *err)
{
	CLEANUP(metadata_deinit) struct metadata metadata = {0};
	CLEANUP(cleanup_json_decref) json_t *root = NULL;
	int r = drive_json_parse(text, size_bytes, &root, err);

	if (r == 0)
		r = uuid_parse(root, &metadata.uuid, err);
	if (r == 0)
		r = files_parse(root, &metadata, err);
	if (r < 0)
		return r;
	host_name_take(root, &metadata);
	public_keys_take(root, &metadata);
	random_seed_take(root, &metadata);
	*ret_metadata = metadata;
	metadata = (struct metadata){0};
	return 0;
}

void metadata_deinit(struct metadata *metadata)
{
	for (size_t i = 0; i < metadata->public_key_count; i++)
		free(metadata->public_keys[i]);
	free(metadata->public_keys);
	free(metadata->random_seed);
	free(metadata->host_name);
	free(metadata->files);
	*metadata = (struct metadata){0};
}
