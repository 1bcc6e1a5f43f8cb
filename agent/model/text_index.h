/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts of a document that were seen before, each with a number: in constant time, whatever texts
 * somebody chooses. Used by model/ only.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

struct text_index {
	json_t *numbers;
};

/* Keeps a copy of the text. false: it is there already, with a number that stays. */
bool text_index_add(struct text_index *index, const char *text, size_t number);
bool text_index_find(const struct text_index *index, const char *text, size_t *ret_number);
void text_index_deinit(struct text_index *index);

#define cleanup_text_index CLEANUP(text_index_deinit)
