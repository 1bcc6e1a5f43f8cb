/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the config drive's meta_data.json says of the instance (nova, api/metadata/base.py): who it
 * is, and which files nova was asked to inject. Owned by main. Used by amphora-config-drive.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/id.h"
#include "drive/host_name.h"
#include "drive/tree.h"

enum { METADATA_KEYS_MAX = 16, METADATA_RANDOM_SEED_MAX = 64 * KIB };

struct injected_file {
	struct tree_path path;
	struct tree_path content_path; /* on the drive, below openstack/ */
};

struct metadata {
	struct id uuid;
	struct host_name *host_name; /* NULL: none */
	struct injected_file *files;
	size_t file_count;
	char **public_keys;
	size_t public_key_count;
	char *random_seed; /* base64; NULL: none */
};

/*
 * -EINVAL without a uuid, or when a file could not be put where it belongs. A host name, key or
 * seed that cannot be used is logged and left out: the amphora works without.
 */
int metadata_parse(
	const char *text, size_t size_bytes, struct metadata *ret_metadata, struct err *err);
void metadata_deinit(struct metadata *metadata);
