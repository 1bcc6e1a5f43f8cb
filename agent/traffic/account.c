/* SPDX-License-Identifier: Apache-2.0 */
#include "traffic/account.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/text.h"

static struct account_source *source_find(const struct account *account, const char *name)
{
	for (size_t i = 0; i < account->source_count; i++)
		if (text_equal(account->sources[i].name, name))
			return &account->sources[i];
	return NULL;
}

static struct account_source *source_add(struct account *account, const char *name)
{
	struct account_source *source;

	account->sources = xrealloc_array(
		account->sources, account->source_count + 1, sizeof(*account->sources));
	source = &account->sources[account->source_count++];
	*source = (struct account_source){.name = xstrdup(name)};
	return source;
}

void account_read(struct account *account, const char *source_name, const struct traffic *now)
{
	struct account_source *source = source_find(account, source_name);

	if (!source)
		source = source_add(account, source_name);
	else if (traffic_has_gone_down(now, &source->last))
		traffic_add(&account->settled, &source->last);
	source->last = *now;
	source->is_read = true;
}

void account_settle(struct account *account, account_is_gone *is_gone, const void *context)
{
	size_t kept = 0;

	for (size_t i = 0; i < account->source_count; i++) {
		struct account_source source = account->sources[i];

		if (source.is_read || !is_gone(context, source.name)) {
			source.is_read = false;
			account->sources[kept++] = source;
			continue;
		}
		traffic_add(&account->settled, &source.last);
		free(source.name);
	}
	account->source_count = kept;
}

struct traffic account_total(const struct account *account)
{
	struct traffic total = account->settled;

	for (size_t i = 0; i < account->source_count; i++)
		traffic_add(&total, &account->sources[i].last);
	return total;
}

void account_deinit(struct account *account)
{
	for (size_t i = 0; i < account->source_count; i++)
		free(account->sources[i].name);
	free(account->sources);
	*account = (struct account){.sources = NULL};
}
