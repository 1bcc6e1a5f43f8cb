/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: meta_data.json (drive/metadata.h). Whatever the bytes, they are refused with a
 * reason, or every path goes down from the root and every name and key is what its check takes.
 */
#include "drive/metadata.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "drive/drive_file.h"
#include "drive/ssh_key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

static void check(const struct metadata *metadata)
{
	struct tree_path path;
	struct host_name name;

	if (!id_is_valid(metadata->uuid.text))
		abort();
	if (metadata->host_name && host_name_parse(metadata->host_name->full, &name, NULL) < 0)
		abort();
	for (size_t i = 0; i < metadata->file_count; i++) {
		const char *text = metadata->files[i].path.text;
		const char *content = metadata->files[i].content_path.text;

		if (drive_file_path_parse(text, strlen(text), &path, NULL) < 0 ||
			tree_path_parse(content, strlen(content), &path, NULL) < 0)
			abort();
	}
	for (size_t i = 0; i < metadata->public_key_count; i++)
		if (ssh_key_check(metadata->public_keys[i], NULL) < 0)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	CLEANUP(metadata_deinit) struct metadata metadata = {0};
	struct err err = ERR_NONE;
	int r = metadata_parse((const char *)data, size_bytes, &metadata, &err);

	if (r < 0 && err.text[0] == '\0')
		abort();
	if (r == 0)
		check(&metadata);
	return 0;
}
