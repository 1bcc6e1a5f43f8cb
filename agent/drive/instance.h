/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An instance as its config drive describes it: read and checked as a whole before anything is
 * written, applied once in its life. Owned by main. Used by amphora-config-drive.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "drive/drive_file.h"
#include "drive/metadata.h"
#include "drive/network_data.h"
#include "drive/tree.h"
#include "drive/user_data.h"

struct instance {
	struct metadata metadata;
	struct drive_files injected; /* what metadata names, with its bytes */
	struct user_data user_data;
	struct network_data network;
};

/* Reads meta_data.json alone: enough to tell whose drive it is. */
int instance_identify(const struct tree *drive, struct instance *ret_instance, struct err *err);
/*
 * Reads the rest. It fails when a file that the drive means to bring is not to be had whole.
 * Without network_data.json, or with one that cannot be read, network has no links.
 */
int instance_load(const struct tree *drive, struct instance *instance, struct err *err);
void instance_deinit(struct instance *instance);

/* Whether this instance was applied to root before, to the end. */
int instance_is_applied(const struct tree *root, const struct instance *instance,
	bool *ret_is_applied, struct err *err);
/*
 * Writes everything to root, and last, when all of it is on disk, that it was. is_running tells
 * that root is the machine's own: then its name changes at once.
 */
int instance_apply(
	const struct tree *root, const struct instance *instance, bool is_running, struct err *err);
