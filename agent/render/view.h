/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How views are built: the JSON that a template shows, whose sections are the decisions. What says
 * nothing is false or null rather than absent where many servers look for it: an absent key is
 * looked for in all that lies around. Without memory the program ends (base/alloc.h). Used by
 * render/ only.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/address.h"

/* Each takes the value over. */
void view_set(json_t *object, const char *key, json_t *value);
void view_append(json_t *array, json_t *value);

/* Texts are valid UTF-8 (base/text.h), as whatever came out of a document is. NULL is null. */
void view_set_text(json_t *object, const char *key, const char *text);
void view_append_text(json_t *array, const char *text);
void view_set_number(json_t *object, const char *key, long number);
void view_set_flag(json_t *object, const char *key, bool is_so);
/* "10.0.0.1", "2001:db8::1"; nothing when the family is 0. */
void view_set_address(json_t *object, const char *key, const struct address *address);
void view_append_address(json_t *array, const struct address *address);
/* "10.0.0.1", "[2001:db8::1]": where something might take what follows a colon for a port. */
void view_set_host(json_t *object, const char *key, const struct address *address);
/* "10.0.0.1:80", "[2001:db8::1]:80" */
void view_set_end(json_t *object, const char *key, const struct address *address, in_port_t port);
void view_append_end(json_t *array, const struct address *address, in_port_t port);
