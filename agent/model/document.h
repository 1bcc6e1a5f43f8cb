/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON text of a model as a tree. What it may cost is bounded before it is parsed: in bytes, in
 * depth and in values (a JSON tree takes up to a hundred times its text). A key that is there
 * twice, a NUL and bytes that are no UTF-8 are faults, so deeper code need not think of them. Used
 * by model/ only.
 */
#pragma once

#include <jansson.h>

#include "base/buf.h"
#include "model/fault.h"

/* 10,000 members with all that Octavia's answers say of them are 200,000 values in 6 MiB. */
enum { DOCUMENT_SIZE_MAX = 16 * MIB, DOCUMENT_DEPTH_MAX = 32, DOCUMENT_VALUES_MAX = 500 * 1000 };

/* The tree, the caller's to json_decref(); NULL when faults, added to ret_faults, tell why. */
json_t *document_parse(const char *text, size_t size_bytes, struct faults *ret_faults);
