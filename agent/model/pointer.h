/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON pointers (RFC 6901) as they are written, step by step. Used by model/ only.
 */
#pragma once

#include <stddef.h>

#include "base/buf.h"

void pointer_append_key(struct buf *pointer, const char *key);
void pointer_append_index(struct buf *pointer, size_t index);
