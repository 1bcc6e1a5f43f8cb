/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/clients.h"

#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "deploy/origin.h"

static const char words[] = "# Only clients of ";

void clients_append(const struct cidr *clients, size_t count, struct buf *ret_text)
{
	for (size_t i = 0; i < count; i++) {
		char text[CIDR_TEXT_MAX];

		cidr_format(&clients[i], text);
		buf_append_format(ret_text, "%s%s\n", words, text);
	}
}

void clients_parse(const char *text, struct cidr **ret_clients, size_t *ret_count)
{
	struct cidr *clients = NULL;
	struct id load_balancer;
	size_t count = 0;

	if (origin_parse(text, &load_balancer))
		text = strchrnul(text, '\n');
	while (text[0] == '\n' && text_starts_with(text + 1, words)) {
		const char *client = text + 1 + strlen(words);
		size_t size = strcspn(client, "\n");
		cleanup_free char *word = xmemdup_text(client, size);
		struct cidr cidr;

		if (cidr_parse(word, &cidr) == 0) {
			clients = xrealloc_array(clients, count + 1, sizeof(*clients));
			clients[count++] = cidr;
		}
		text = client + size;
	}
	*ret_clients = clients;
	*ret_count = count;
}
