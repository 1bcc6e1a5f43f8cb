/* SPDX-License-Identifier: Apache-2.0 */
#include "model/token.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

#define PUNCTUATION "!#$%&'*+-.^_`|~"

const char *token_fault(const char *text)
{
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && !strchr(PUNCTUATION, *text))
			return "must be made of letters, digits and any of \"" PUNCTUATION "\"";
	return NULL;
}
