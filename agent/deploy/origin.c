/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/origin.h"

#include <string.h>

#include "base/text.h"

static const char words[] = "# Rendered by amphora-agent for load balancer ";

void origin_append(const struct id *load_balancer, struct buf *ret_text)
{
	buf_append_format(ret_text, "%s%s\n", words, load_balancer->text);
}

bool origin_parse(const char *text, struct id *ret_load_balancer)
{
	if (!text_starts_with(text, words))
		return false;
	text += strlen(words);
	return id_parse(text, strcspn(text, "\n"), "load balancer id", ret_load_balancer, NULL) ==
	       0;
}

bool origin_is(const char *text, const struct id *load_balancer)
{
	struct id id;

	return origin_parse(text, &id) && id_equal(&id, load_balancer);
}
