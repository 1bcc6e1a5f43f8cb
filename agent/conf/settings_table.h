/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one table of keys that the settings are made of: where a key stands, what it may say, what it
 * means when nobody says it. Constant. Used by conf/settings.c only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/settings.h"

struct settings_key {
	const char *section;
	const char *name;
	/* Sets what the key is about; -EINVAL when the text is not what "allowed" says. */
	int (*parse)(const struct settings_key *key, const char *text, struct settings *settings);
	size_t offset;             /* of the field */
	const char *default_text;  /* NULL: none; settings.c completes what is left open */
	const char *allowed;       /* goes on "must be" */
	uint64_t min, max;         /* of a number */
	const char *other_section; /* asked when section does not say; NULL: none */
	bool is_required;
	bool is_secret;
};

extern const struct settings_key settings_table[];
extern const size_t settings_table_size;
