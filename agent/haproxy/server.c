/* SPDX-License-Identifier: Apache-2.0 */
#include "haproxy/server.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/text.h"
#include "haproxy/config_line.h"

enum { WEIGHT_MAX = 256 };

/* What a default-server line gives to the servers behind it. */
struct server_defaults {
	unsigned weight;
	bool check;
	bool disabled;
	bool given; /* there was such a line */
};

static const struct server_defaults no_defaults = {.weight = HAPROXY_SERVER_WEIGHT_DEFAULT};

/*
 * Takes the option at line->words[i] into settings if it is one of those; returns how many words it
 * takes, 0 if it is another.
 */
static size_t option_take(
	const struct haproxy_line *line, size_t i, struct server_defaults *settings)
{
	const char *word = line->words[i];
	uint64_t weight;

	if (text_equal(word, "weight") && i + 1 < line->word_count &&
		text_parse_u64(line->words[i + 1], 0, WEIGHT_MAX, &weight) == 0) {
		settings->weight = (unsigned)weight;
		return 2;
	}
	if (text_equal(word, "disabled") || text_equal(word, "enabled")) {
		settings->disabled = text_equal(word, "disabled");
		return 1;
	}
	if (text_equal(word, "check") || text_equal(word, "no-check"))
		settings->check = text_equal(word, "check");
	return 0;
}

static void default_server_parse(const struct haproxy_line *line, struct server_defaults *defaults)
{
	defaults->given = true;
	for (size_t i = 1; i < line->word_count; i++) {
		size_t taken = option_take(line, i, defaults);

		i += taken ? taken - 1 : 0;
	}
}

static void server_append(struct haproxy_servers *servers, const struct haproxy_line *line,
	const struct server_defaults *defaults)
{
	struct server_defaults settings = *defaults;
	struct buf options = BUF_INIT(SIZE_MAX / 2);

	for (size_t i = 3; i < line->word_count;) {
		size_t taken = option_take(line, i, &settings);

		if (taken == 0)
			buf_append_format(
				&options, "%s%s", options.size_bytes ? " " : "", line->words[i]);
		i += taken ? taken : 1;
	}
	servers->items =
		xrealloc_array(servers->items, servers->count + 1, sizeof(*servers->items));
	servers->items[servers->count++] = (struct haproxy_server){
		.backend = xstrdup(line->section_name),
		.name = xstrdup(line->words[1]),
		.address = xstrdup(line->words[2]),
		.options = buf_take_text(&options),
		.weight = settings.weight,
		.check = settings.check,
		.disabled = settings.disabled,
		.plain = line->plain && !defaults->given &&
			 line->word_count < HAPROXY_LINE_WORDS_MAX,
	};
}

int haproxy_server_compare(const struct haproxy_server *a, const struct haproxy_server *b)
{
	int order = strcmp(a->backend, b->backend);

	return order ? order : strcmp(a->name, b->name);
}

static int compare(const void *a, const void *b)
{
	return haproxy_server_compare(a, b);
}

static bool has_servers(const struct haproxy_line *line)
{
	return text_equal(line->section, "backend") || text_equal(line->section, "listen");
}

void haproxy_servers_parse(const char *text, size_t size_bytes, struct haproxy_servers *ret_servers)
{
	struct server_defaults from_defaults = no_defaults; /* of the last `defaults` section */
	struct server_defaults here = no_defaults;
	cleanup_haproxy_lines struct haproxy_lines lines;
	struct haproxy_line line;

	*ret_servers = (struct haproxy_servers){0};
	haproxy_lines_init(&lines, text, size_bytes);
	while (haproxy_lines_next(&lines, &line)) {
		bool is_default = haproxy_line_is(&line, "default-server", NULL);

		if (line.opens_section && text_equal(line.section, "defaults"))
			from_defaults = no_defaults;
		else if (line.opens_section)
			here = from_defaults;
		else if (is_default && text_equal(line.section, "defaults"))
			default_server_parse(&line, &from_defaults);
		else if (is_default)
			default_server_parse(&line, &here);
		else if (haproxy_line_is(&line, "server", NULL) && line.word_count >= 3 &&
			 has_servers(&line))
			server_append(ret_servers, &line, &here);
	}
	if (ret_servers->count > 0)
		qsort(ret_servers->items, ret_servers->count, sizeof(*ret_servers->items), compare);
}

void haproxy_servers_deinit(struct haproxy_servers *servers)
{
	for (size_t i = 0; i < servers->count; i++) {
		free(servers->items[i].backend);
		free(servers->items[i].name);
		free(servers->items[i].address);
		free(servers->items[i].options);
	}
	free(servers->items);
	*servers = (struct haproxy_servers){0};
}

const struct haproxy_server *haproxy_servers_find(
	const struct haproxy_servers *servers, const char *backend, const char *name)
{
	struct haproxy_server key = {.backend = (char *)backend, .name = (char *)name};

	if (servers->count == 0)
		return NULL;
	return bsearch(&key, servers->items, servers->count, sizeof(*servers->items), compare);
}

bool haproxy_server_split_address(const char *address, size_t *ret_host_size, unsigned *ret_port)
{
	const char *colon = strrchr(address, ':');
	uint64_t port;

	if (!colon || text_parse_u64(colon + 1, 1, UINT16_MAX, &port) < 0)
		return false;
	*ret_host_size = (size_t)(colon - address);
	*ret_port = (unsigned)port;
	return true;
}
