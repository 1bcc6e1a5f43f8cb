/* SPDX-License-Identifier: Apache-2.0 */
#include "haproxy/config.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "haproxy/config_line.h"

/* Proxies that controllers render for PROMETHEUS listeners, beside the listener itself. */
static const char internal_prefix[] = "prometheus-exporter-internal";

/* What is gathered while the lines pass. */
struct config_parse {
	struct haproxy_config *config;
	struct haproxy_listener *listener; /* whose section this is; NULL: no listener's */
	enum haproxy_listener_type default_type;
};

static void texts_append(char ***texts, size_t *count, const char *text)
{
	*texts = xrealloc_array(*texts, *count + 1, sizeof(**texts));
	(*texts)[(*count)++] = xstrdup(text);
}

static void texts_free(char **texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(texts[i]);
	free(texts);
}

static struct haproxy_listener *listener_append(
	struct haproxy_config *config, const char *name, enum haproxy_listener_type type)
{
	struct haproxy_listener *listener;

	config->listeners = xrealloc_array(
		config->listeners, config->listener_count + 1, sizeof(*config->listeners));
	listener = &config->listeners[config->listener_count++];
	*listener = (struct haproxy_listener){.name = xstrdup(name), .type = type};
	return listener;
}

static void section_parse(struct config_parse *parse, const struct haproxy_line *line)
{
	struct haproxy_config *config = parse->config;

	parse->listener = NULL;
	if (haproxy_line_is(line, "defaults", NULL))
		parse->default_type = HAPROXY_LISTENER_TCP;
	if (line->word_count < 2 || text_starts_with(line->words[1], internal_prefix))
		return;
	if (haproxy_line_is(line, "frontend", NULL) || haproxy_line_is(line, "listen", NULL))
		parse->listener = listener_append(config, line->words[1], parse->default_type);
	if (haproxy_line_is(line, "backend", NULL) || haproxy_line_is(line, "listen", NULL))
		texts_append(&config->backends, &config->backend_count, line->words[1]);
}

static void mode_parse(struct config_parse *parse, const struct haproxy_line *line)
{
	enum haproxy_listener_type type =
		text_equal(line->words[1], "http") ? HAPROXY_LISTENER_HTTP : HAPROXY_LISTENER_TCP;

	if (text_equal(line->section, "defaults"))
		parse->default_type = type;
	else if (parse->listener && parse->listener->type != HAPROXY_LISTENER_TERMINATED_HTTPS)
		parse->listener->type = type;
}

static void bind_parse(struct haproxy_listener *listener, const struct haproxy_line *line)
{
	if (line->word_count < 2)
		return;
	texts_append(&listener->binds, &listener->bind_count, line->words[1]);
	for (size_t i = 2; i < line->word_count; i++)
		if (text_equal(line->words[i], "ssl"))
			listener->type = HAPROXY_LISTENER_TERMINATED_HTTPS;
}

static void stats_socket_parse(struct haproxy_config *config, const struct haproxy_line *line)
{
	static const char family[] = "unix@";
	const char *path = line->words[2];

	if (text_starts_with(path, family))
		path += strlen(family);
	if (!config->stats_socket && path[0] == '/')
		config->stats_socket = xstrdup(path);
}

void haproxy_config_parse(const char *text, size_t size_bytes, struct haproxy_config *ret_config)
{
	cleanup_haproxy_lines struct haproxy_lines lines;
	struct config_parse parse = {.config = ret_config};
	struct haproxy_line line;

	*ret_config = (struct haproxy_config){0};
	haproxy_lines_init(&lines, text, size_bytes);
	while (haproxy_lines_next(&lines, &line)) {
		if (line.opens_section)
			section_parse(&parse, &line);
		else if (haproxy_line_is(&line, "mode", NULL))
			mode_parse(&parse, &line);
		else if (haproxy_line_is(&line, "bind", NULL) && parse.listener)
			bind_parse(parse.listener, &line);
		else if (haproxy_line_is(&line, "stats", "socket"))
			stats_socket_parse(ret_config, &line);
	}
}

void haproxy_config_deinit(struct haproxy_config *config)
{
	for (size_t i = 0; i < config->listener_count; i++) {
		free(config->listeners[i].name);
		texts_free(config->listeners[i].binds, config->listeners[i].bind_count);
	}
	free(config->listeners);
	texts_free(config->backends, config->backend_count);
	free(config->stats_socket);
	*config = (struct haproxy_config){0};
}

const char *haproxy_listener_type_text(enum haproxy_listener_type type)
{
	switch (type) {
	case HAPROXY_LISTENER_HTTP:
		return "HTTP";
	case HAPROXY_LISTENER_TERMINATED_HTTPS:
		return "TERMINATED_HTTPS";
	default:
		return "TCP";
	}
}

/* folder, or folder and slashes. */
static bool is_whole_folder(const char *word, const char *folder)
{
	size_t folder_size = strlen(folder);

	return text_starts_with(word, folder) &&
	       strspn(word + folder_size, "/") == strlen(word + folder_size);
}

bool haproxy_config_mentions(
	const char *text, size_t size_bytes, const char *folder, const char *name)
{
	cleanup_haproxy_lines struct haproxy_lines lines;
	struct haproxy_line line;

	haproxy_lines_init(&lines, text, size_bytes);
	while (haproxy_lines_next(&lines, &line))
		for (size_t i = 0; i < line.word_count; i++)
			if (strstr(line.words[i], name) || is_whole_folder(line.words[i], folder))
				return true;
	return false;
}
