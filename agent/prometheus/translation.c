/* SPDX-License-Identifier: Apache-2.0 */
#include "prometheus/translation.h"

#include <string.h>

/* The proxies for the scraping itself: prometheus-exporter-internal, …-internal-endpoint. */
static const char internal_prefix[] = "prometheus-exporter";

static const char help_keyword[] = "# HELP ";

/* A piece of a line. */
struct span {
	const char *at;
	size_t size_bytes;
};

/* The names of labels that are to be replaced, in the order of the line. */
struct renaming {
	struct {
		struct span old;
		const char *new;
		size_t new_size_bytes;
	} labels[2];
	size_t count;
};

static bool span_is(const struct span *span, const char *text)
{
	return span->size_bytes == strlen(text) && memcmp(span->at, text, span->size_bytes) == 0;
}

static bool span_starts_with(const struct span *span, const char *text)
{
	return span->size_bytes >= strlen(text) && memcmp(span->at, text, strlen(text)) == 0;
}

static char *put(char *to, const char *from, size_t size_bytes)
{
	memcpy(to, from, size_bytes);
	return to + size_bytes;
}

static bool is_name_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == ':';
}

/* Whether the line has the name of the one before at its start: most do. */
static bool is_last_name(const struct translation *translation, const struct span *line)
{
	size_t size = translation->last_name_size_bytes;

	return size > 0 && line->size_bytes > size &&
	       memcmp(line->at, translation->last_name, size) == 0 &&
	       !is_name_character(line->at[size]);
}

/* Takes the metric's name off the line; whether it is one that is published. */
static bool name_take(struct translation *translation, struct span *line)
{
	size_t size = 0;

	if (is_last_name(translation, line)) {
		size = translation->last_name_size_bytes;
	} else {
		while (size < line->size_bytes && is_name_character(line->at[size]))
			size++;
		if (size > sizeof(translation->last_name))
			return false;
		memcpy(translation->last_name, line->at, size);
		translation->last_name_size_bytes = size;
		translation->is_published = metric_find(line->at, size, &translation->metric) == 0;
	}
	line->at += size;
	line->size_bytes -= size;
	return translation->is_published;
}

/* The end of the quoted text that begins at the quote at; NULL: it has none. */
static const char *quoted_end(const char *at, const char *end)
{
	const char *quote = memchr(at + 1, '"', (size_t)(end - at - 1));

	/* It is the last one, unless it could be escaped. */
	if (!quote || quote[-1] != '\\')
		return quote ? quote + 1 : NULL;
	for (at++; at < end && *at != '"'; at++)
		at += *at == '\\';
	return at < end ? at + 1 : NULL;
}

/* NAME="VALUE" at *at, which moves behind it. */
static bool label_take(
	const char **at, const char *end, struct span *ret_name, struct span *ret_value)
{
	const char *name = *at;
	const char *equals = name;
	const char *behind;

	while (equals < end && is_name_character(*equals))
		equals++;
	if (equals == name || end - equals < 2 || equals[0] != '=' || equals[1] != '"')
		return false;
	behind = quoted_end(equals + 1, end);
	if (!behind)
		return false;
	*ret_name = (struct span){name, (size_t)(equals - name)};
	*ret_value = (struct span){equals + 2, (size_t)(behind - equals - 3)};
	*at = behind;
	return true;
}

/* Notes a label to be renamed; false: the line is not to be published. */
static bool label_check(const struct span *name, const struct span *value, const char *proxy_label,
	struct renaming *renaming)
{
	bool is_proxy = span_is(name, "proxy");

	if (is_proxy && span_starts_with(value, internal_prefix))
		return false;
	if (!is_proxy && !span_is(name, "server"))
		return true;
	if (renaming->count == 2)
		return false;
	if (!is_proxy)
		proxy_label = "member";
	renaming->labels[renaming->count].old = *name;
	renaming->labels[renaming->count].new = proxy_label;
	renaming->labels[renaming->count++].new_size_bytes = strlen(proxy_label);
	return true;
}

/* Reads {NAME="VALUE",…} at the start of line. */
static bool labels_check(
	const struct span *line, const char *proxy_label, struct renaming *renaming)
{
	const char *end = line->at + line->size_bytes;
	const char *at = line->at + 1;

	while (at < end && *at != '}') {
		struct span name;
		struct span value;

		if (!label_take(&at, end, &name, &value) ||
			!label_check(&name, &value, proxy_label, renaming))
			return false;
		if (at < end && *at == ',')
			at++;
		else if (at < end && *at != '}')
			return false;
	}
	return end - at > 1 && at[1] == ' ';
}

/* A sample; rest is what stands behind the name. */
static void sample_append(
	const struct metric *metric, const struct span *rest, struct buf *ret_text)
{
	struct renaming renaming = {.count = 0};
	const char *from = rest->at;
	char *begin;
	char *to;

	if (rest->size_bytes == 0 || (rest->at[0] != ' ' && rest->at[0] != '{'))
		return;
	if (rest->at[0] == '{' &&
		(!metric->proxy_label || !labels_check(rest, metric->proxy_label, &renaming)))
		return;
	begin = buf_reserve(ret_text, metric->name_size_bytes + rest->size_bytes + 2 * 16);
	if (!begin)
		return;
	to = put(begin, metric->name, metric->name_size_bytes);
	for (size_t i = 0; i < renaming.count; i++) {
		const struct span *old = &renaming.labels[i].old;

		to = put(to, from, (size_t)(old->at - from));
		to = put(to, renaming.labels[i].new, strlen(renaming.labels[i].new));
		from = old->at + old->size_bytes;
	}
	to = put(to, from, rest->size_bytes - (size_t)(from - rest->at));
	*to++ = '\n';
	buf_commit(ret_text, (size_t)(to - begin));
}

/* "# HELP NAME TEXT" or "# TYPE NAME TYPE"; rest is what stands behind the name. */
static void comment_append(const char *keyword, const struct metric *metric,
	const struct span *rest, struct buf *ret_text)
{
	if (rest->size_bytes == 0 || rest->at[0] != ' ')
		return;
	buf_append_text(ret_text, keyword);
	buf_append(ret_text, metric->name, metric->name_size_bytes);
	if (keyword == help_keyword && metric->help)
		buf_append_format(ret_text, " %s", metric->help);
	else
		buf_append(ret_text, rest->at, rest->size_bytes);
	buf_append_char(ret_text, '\n');
}

static void line_translate(
	struct translation *translation, const char *data, size_t size_bytes, struct buf *ret_text)
{
	static const char *const keywords[] = {help_keyword, "# TYPE "};
	struct span line = {data, size_bytes};

	for (size_t i = 0; i < 2; i++) {
		if (!span_starts_with(&line, keywords[i]))
			continue;
		line.at += strlen(keywords[i]);
		line.size_bytes -= strlen(keywords[i]);
		if (keywords[i] == help_keyword)
			translation->family[0] = '\0';
		if (!name_take(translation, &line))
			return;
		if (keywords[i] == help_keyword)
			memcpy(translation->family, translation->metric.name,
				translation->metric.name_size_bytes + 1);
		comment_append(keywords[i], &translation->metric, &line, ret_text);
		return;
	}
	if (name_take(translation, &line))
		sample_append(&translation->metric, &line, ret_text);
}

/* Keeps a piece of a line whose end has not arrived. */
static void piece_keep(struct translation *translation, const char *data, size_t size_bytes)
{
	if (translation->is_skipping)
		return;
	buf_append(&translation->cut_line, data, size_bytes);
	if (!buf_error(&translation->cut_line))
		return;
	buf_clear(&translation->cut_line);
	translation->is_skipping = true;
}

/* Keeps a whole line that begins another family, if that is to be told first. */
static bool line_hold(struct translation *translation, const char *data, size_t size_bytes)
{
	const struct span line = {data, size_bytes};

	if (!translation->stops_at_families || translation->family[0] == '\0' ||
		!span_starts_with(&line, help_keyword))
		return false;
	if (data != translation->cut_line.data)
		buf_append(&translation->cut_line, data, size_bytes);
	translation->holds_line = true;
	return true;
}

/* The line that was kept has ended. */
static void kept_translate(struct translation *translation, struct buf *ret_text)
{
	if (!translation->is_skipping && translation->cut_line.size_bytes > 0)
		line_translate(translation, translation->cut_line.data,
			translation->cut_line.size_bytes, ret_text);
	buf_clear(&translation->cut_line);
	translation->is_skipping = false;
	translation->holds_line = false;
}

/* The rest of a line, up to its end. False: the line is held. */
static bool line_end_take(
	struct translation *translation, const char *data, size_t size_bytes, struct buf *ret_text)
{
	struct buf *cut = &translation->cut_line;

	if (translation->is_skipping || cut->size_bytes > 0) {
		piece_keep(translation, data, size_bytes);
		if (!translation->is_skipping && line_hold(translation, cut->data, cut->size_bytes))
			return false;
		kept_translate(translation, ret_text);
	} else if (size_bytes <= TRANSLATION_LINE_MAX) {
		if (line_hold(translation, data, size_bytes))
			return false;
		line_translate(translation, data, size_bytes, ret_text);
	}
	return true;
}

size_t translation_feed(
	struct translation *translation, const char *data, size_t size_bytes, struct buf *ret_text)
{
	const char *at = data;
	const char *end = data + size_bytes;

	if (translation->holds_line)
		kept_translate(translation, ret_text);
	while (at < end) {
		const char *line_end = memchr(at, '\n', (size_t)(end - at));

		if (!line_end) {
			piece_keep(translation, at, (size_t)(end - at));
			return size_bytes;
		}
		if (!line_end_take(translation, at, (size_t)(line_end - at), ret_text))
			return (size_t)(line_end + 1 - data);
		at = line_end + 1;
	}
	return size_bytes;
}

void translation_end(struct translation *translation, struct buf *ret_text)
{
	kept_translate(translation, ret_text);
}

void translation_deinit(struct translation *translation)
{
	buf_deinit(&translation->cut_line);
}
