/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: configuration files (conf/ini.h). */
#include "conf/ini.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

/* What the header promises of every entry, whatever the bytes were. */
static void entry_check(const struct ini_entry *entry)
{
	if (!entry || entry->line == 0 || entry->key[0] == '\0' || entry->section[0] == '\0' ||
		!text_is_utf8(entry->value, strlen(entry->value)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct ini *ini = ini_new();
	struct err err = ERR_NONE;

	/* Behind the input's own keys, so that looking one up passes them all. */
	if (ini_parse(ini, "sought", "[sought]\nkey = value\n", 21, &err) < 0)
		abort();
	if (ini_parse(ini, "input", (const char *)data, size_bytes, &err) == 0)
		entry_check(ini_find(ini, "sought", "key"));
	else if (!text_starts_with(err.text, "input:"))
		abort();
	ini_free(ini);
	return 0;
}
