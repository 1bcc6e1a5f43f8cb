/* SPDX-License-Identifier: Apache-2.0 */
#include "lvs/config.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

/* keepalived itself reads no longer lines. Words behind the last are not needed for anything. */
enum { LINE_MAX_BYTES = 1024, WORDS_MAX = 8 };

enum block { BLOCK_OTHER, BLOCK_GROUP, BLOCK_SERVER };

/* Where in the text we are. */
struct config_parse {
	struct lvs_config *config;
	unsigned depth;    /* of braces */
	enum block block;  /* the outermost one that is open */
	bool names_member; /* the last member awaits its real_server */
	bool in_member;    /* in the real_server of the last member */
};

struct line {
	char text[LINE_MAX_BYTES];
	const char *words[WORDS_MAX]; /* "" behind the last */
	size_t word_count;
	bool opens; /* ends in '{' */
};

static void line_split(struct line *line)
{
	static const char blanks[] = " \t\r";
	char *rest = line->text + strspn(line->text, blanks);
	const char *last = "";

	line->word_count = 0;
	while (*rest) {
		size_t size = strcspn(rest, blanks);
		char *next = rest + size + strspn(rest + size, blanks);

		last = rest;
		rest[size] = '\0';
		if (line->word_count < WORDS_MAX)
			line->words[line->word_count++] = rest;
		rest = next;
	}
	line->opens = text_equal(last, "{");
	for (size_t i = line->word_count; i < WORDS_MAX; i++)
		line->words[i] = "";
}

/* Cuts the next line off; what is too long of it is not seen. */
static void line_take(const char **rest, const char *end, struct line *ret_line)
{
	const char *newline = memchr(*rest, '\n', (size_t)(end - *rest));
	const char *line_end = newline ? newline : end;
	size_t size = (size_t)(line_end - *rest);

	if (size > LINE_MAX_BYTES - 1)
		size = LINE_MAX_BYTES - 1;
	memcpy(ret_line->text, *rest, size);
	ret_line->text[size] = '\0';
	line_split(ret_line);
	*rest = newline ? newline + 1 : end;
}

static bool endpoint_parse(const char *address, const char *port, struct lvs_endpoint *ret_endpoint)
{
	struct lvs_endpoint endpoint;
	uint64_t number;

	if (address_parse(address, &endpoint.address) < 0 ||
		text_parse_u64(port, 1, UINT16_MAX, &number) < 0)
		return false;
	endpoint.port = (uint16_t)number;
	*ret_endpoint = endpoint;
	return true;
}

static void virtual_server_append(struct lvs_config *config, const char *address, const char *port)
{
	struct lvs_endpoint endpoint;

	if (config->virtual_server_count == LVS_VIRTUAL_SERVERS_MAX ||
		!endpoint_parse(address, port, &endpoint))
		return;
	config->virtual_servers = xrealloc_array(config->virtual_servers,
		config->virtual_server_count + 1, sizeof(*config->virtual_servers));
	config->virtual_servers[config->virtual_server_count++] = endpoint;
}

static bool member_append(struct lvs_config *config, const struct id *id, bool is_disabled)
{
	if (config->member_count == LVS_MEMBERS_MAX)
		return false;
	config->members =
		xrealloc_array(config->members, config->member_count + 1, sizeof(*config->members));
	config->members[config->member_count++] =
		(struct lvs_member){.id = *id, .is_disabled = is_disabled};
	return true;
}

/*
 * "# Configuration for WHAT ID" or "# WHAT ID is disabled"; load balancer, listener and pool count
 * once.
 */
static void resource_name(
	struct config_parse *parse, const char *what, const char *name, bool is_disabled)
{
	struct lvs_config *config = parse->config;
	struct id id;

	if (id_parse(name, strlen(name), "id", &id, NULL) < 0)
		return;
	if (text_equal(what, "Loadbalancer") && !config->has_load_balancer) {
		config->has_load_balancer = true;
		config->load_balancer = id;
	} else if (text_equal(what, "Listener") && !config->has_listener) {
		config->has_listener = true;
		config->listener = id;
		config->is_disabled = is_disabled;
	} else if (text_equal(what, "Pool") && !config->has_pool) {
		config->has_pool = true;
		config->pool = id;
		config->is_pool_disabled = is_disabled;
	} else if (text_equal(what, "Member")) {
		parse->names_member = member_append(config, &id, is_disabled) && !is_disabled;
	}
}

static void comment_parse(struct config_parse *parse, const struct line *line)
{
	const char *const *words = line->words;

	if (line->word_count == 5 && text_equal(words[1], "Configuration") &&
		text_equal(words[2], "for"))
		resource_name(parse, words[3], words[4], false);
	else if (line->word_count == 5 && text_equal(words[3], "is") &&
		 text_equal(words[4], "disabled"))
		resource_name(parse, words[1], words[2], true);
}

static bool is_checker(const char *word)
{
	return text_ends_with(word, "_CHECK") || text_ends_with(word, "_GET");
}

static void block_open(struct config_parse *parse, const struct line *line)
{
	parse->block = BLOCK_OTHER;
	if (text_equal(line->words[0], "virtual_server_group"))
		parse->block = BLOCK_GROUP;
	else if (text_equal(line->words[0], "virtual_server"))
		parse->block = BLOCK_SERVER;
	/* `virtual_server ADDRESS PORT {`; with `group NAME` the group has them. */
	if (parse->block == BLOCK_SERVER)
		virtual_server_append(parse->config, line->words[1], line->words[2]);
}

static void server_parse(struct config_parse *parse, const struct line *line)
{
	struct lvs_config *config = parse->config;

	if (text_equal(line->words[0], "protocol"))
		config->is_sctp = text_equal(line->words[1], "SCTP");
	if (!text_equal(line->words[0], "real_server"))
		return;
	parse->in_member = parse->names_member;
	parse->names_member = false;
	if (parse->in_member)
		endpoint_parse(line->words[1], line->words[2],
			&config->members[config->member_count - 1].endpoint);
}

static void statement_parse(struct config_parse *parse, const struct line *line)
{
	struct lvs_config *config = parse->config;

	if (parse->depth == 0)
		block_open(parse, line);
	else if (parse->depth == 1 && parse->block == BLOCK_GROUP)
		virtual_server_append(config, line->words[0], line->words[1]);
	else if (parse->depth == 1 && parse->block == BLOCK_SERVER)
		server_parse(parse, line);
	else if (parse->depth == 2 && parse->in_member && is_checker(line->words[0]))
		config->members[config->member_count - 1].has_checker = true;
	if (line->opens)
		parse->depth++;
}

static void line_parse(struct config_parse *parse, const struct line *line)
{
	if (line->words[0][0] == '#') {
		comment_parse(parse, line);
	} else if (text_equal(line->words[0], "}")) {
		parse->depth -= parse->depth > 0;
		parse->in_member = parse->in_member && parse->depth > 1;
	} else if (line->word_count > 0) {
		statement_parse(parse, line);
	}
}

static int member_compare(const void *a, const void *b)
{
	const struct lvs_member *one = *(struct lvs_member *const *)a;
	const struct lvs_member *other = *(struct lvs_member *const *)b;
	int order = strcmp(one->id.text, other->id.text);

	return order != 0 ? order : one < other ? -1 : one > other;
}

/* The first of those with one id stays, with what the others know. */
static void member_merge(struct lvs_member *first, struct lvs_member *again)
{
	if (first->endpoint.address.family == 0) {
		first->endpoint = again->endpoint;
		first->is_disabled = first->is_disabled && again->is_disabled;
	}
	first->has_checker = first->has_checker || again->has_checker;
	again->id.text[0] = '\0';
}

static void members_unify(struct lvs_config *config)
{
	cleanup_free struct lvs_member **sorted =
		xcalloc(config->member_count + 1, sizeof(*sorted));
	struct lvs_member *first = NULL;
	size_t kept = 0;

	for (size_t i = 0; i < config->member_count; i++)
		sorted[i] = &config->members[i];
	qsort(sorted, config->member_count, sizeof(*sorted), member_compare);
	for (size_t i = 0; i < config->member_count; i++) {
		if (first && id_equal(&first->id, &sorted[i]->id))
			member_merge(first, sorted[i]);
		else
			first = sorted[i];
	}
	for (size_t i = 0; i < config->member_count; i++)
		if (config->members[i].id.text[0])
			config->members[kept++] = config->members[i];
	config->member_count = kept;
}

void lvs_config_parse(const char *text, size_t size_bytes, struct lvs_config *ret_config)
{
	struct config_parse parse = {.config = ret_config};
	const char *end = text + size_bytes;
	struct line line;

	*ret_config = (struct lvs_config){0};
	while (text < end) {
		line_take(&text, end, &line);
		line_parse(&parse, &line);
	}
	members_unify(ret_config);
}

void lvs_config_deinit(struct lvs_config *config)
{
	free(config->virtual_servers);
	free(config->members);
	*config = (struct lvs_config){0};
}
