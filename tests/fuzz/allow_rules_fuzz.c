/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: the list of PUT interface/IP/rules, as far as the text for nft (net/allow_rule.h).
 */
#include "net/allow_rule.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

/* Whatever came in, nothing of nft's language is written but our own words and addresses. */
static void lines_check(const char *lines)
{
	for (const char *c = lines; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr(" \t\n.:/{},", *c))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	cleanup_free struct allow_rule *rules = NULL;
	cleanup_buf struct buf lines = BUF_INIT(4 * MIB);
	size_t count;

	if (allow_rules_parse((const char *)data, size_bytes, &rules, &count, NULL) < 0)
		return 0;
	allow_rules_format(rules, count, &lines);
	if (buf_error(&lines) < 0)
		abort();
	lines_check(buf_text(&lines));
	return 0;
}
