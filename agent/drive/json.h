/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A JSON file of the config drive as a tree. The file's size is capped where it is read; its depth
 * by jansson. Texts in it hold no NUL, objects no key twice. Used by amphora-config-drive.
 */
#pragma once

#include <jansson.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* What nova writes takes a few KiB; a tree takes up to a hundred times its text. */
enum { DRIVE_JSON_SIZE_MAX = 256 * KIB };

/* The tree, the caller's to json_decref(). -EINVAL, with line and column, quoting nothing. */
int drive_json_parse(const char *text, size_t size_bytes, json_t **ret_tree, struct err *err);
