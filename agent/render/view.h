/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Building the JSON that a template is rendered over. Without memory the program ends
 * (base/alloc.h), so nothing here fails. Used by render/ only.
 */
#pragma once

#include <jansson.h>

#include "base/address.h"

/* Takes the value over. */
void view_set(json_t *object, const char *key, json_t *value);
void view_set_text(json_t *object, const char *key, const char *text);
void view_set_number(json_t *object, const char *key, long number);
void view_set_address(json_t *object, const char *key, const struct address *address);
/* Takes the value over. */
void view_append(json_t *array, json_t *value);
void view_append_address(json_t *array, const struct address *address);
