/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/ini.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

struct ini {
	struct ini_entry *entries;
	size_t count;
	char **files; /* the names that the entries point to */
	size_t file_count;
};

/* One text on its way into an ini. */
struct parser {
	struct ini *ini;
	const char *file;
	unsigned line;
	char *section; /* NULL: none has begun */
	char *key;     /* of the value that may still go on; NULL: none */
	unsigned key_line;
	struct buf value; /* never larger than the text, so it never fails */
};

/* A part of a line. */
struct span {
	const char *data;
	size_t size_bytes;
};

/* What Python's str.strip() takes for a blank, as far as it is ASCII; no line end gets here. */
static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\v' || c == '\f' || (c >= 0x1c && c <= 0x1f);
}

static struct span trim_end(struct span span)
{
	while (span.size_bytes > 0 && is_blank(span.data[span.size_bytes - 1]))
		span.size_bytes--;
	return span;
}

static struct span trim(struct span span)
{
	while (span.size_bytes > 0 && is_blank(span.data[0])) {
		span.data++;
		span.size_bytes--;
	}
	return trim_end(span);
}

/* A lone quote is a pair to oslo, and leaves nothing. */
static struct span without_quotes(struct span span)
{
	char first = span.size_bytes > 0 ? span.data[0] : '\0';

	if ((first != '"' && first != '\'') || span.data[span.size_bytes - 1] != first)
		return span;
	if (span.size_bytes == 1)
		return (struct span){span.data, 0};
	return (struct span){span.data + 1, span.size_bytes - 2};
}

static bool is_name_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Whether "$" followed by this would be replaced by oslo: "name", "section.name", "{name}". */
static bool is_reference(const char *after_dollar)
{
	const char *end;

	if (*after_dollar != '{')
		return is_name_start(*after_dollar);
	if (!is_name_start(after_dollar[1]))
		return false;
	for (end = after_dollar + 2;
		is_name_start(*end) || isdigit((unsigned char)*end) || *end == '.'; end++)
		;
	return *end == '}';
}

/*
 * Resolves "\$" and "$$" in place. Two passes, as in oslo, where the first is another way to write
 * the second.
 */
static bool dollars_resolve(char *value)
{
	bool has_reference = false;
	char *to = value;

	for (char *at = strstr(value, "\\$"); at; at = strstr(at + 2, "\\$"))
		*at = '$';
	for (const char *from = value; *from; from++) {
		if (from[0] == '$' && from[1] == '$')
			from++;
		else if (from[0] == '$' && is_reference(from + 1))
			has_reference = true;
		*to++ = *from;
	}
	*to = '\0';
	return has_reference;
}

static void text_wipe(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

static void buf_wipe(struct buf *buf)
{
	if (buf->data)
		explicit_bzero(buf->data, buf->capacity_bytes);
	buf_deinit(buf);
}

static void parser_deinit(struct parser *parser)
{
	free(parser->section);
	free(parser->key);
	buf_wipe(&parser->value);
}

static int parser_fail(const struct parser *parser, struct err *err, const char *why)
{
	return err_set(err, -EINVAL, "%s:%u: %s", parser->file, parser->line, why);
}

/* The value under way is complete, if there is one. */
static int assignment_end(struct parser *parser, struct err *err)
{
	struct ini *ini = parser->ini;
	struct ini_entry *entry;

	if (!parser->key)
		return 0;
	if (ini->count == INI_ENTRIES_MAX)
		return err_set(err, -EMSGSIZE, "%s:%u: more than %d keys", parser->file,
			parser->key_line, INI_ENTRIES_MAX);
	ini->entries = xrealloc_array(ini->entries, ini->count + 1, sizeof(*ini->entries));
	entry = &ini->entries[ini->count++];
	*entry = (struct ini_entry){
		.section = xstrdup(parser->section),
		.key = take_ptr(parser->key),
		.value = xstrdup(buf_text(&parser->value)),
		.file = parser->file,
		.line = parser->key_line,
	};
	entry->has_reference = dollars_resolve(entry->value);
	return 0;
}

static int assignment_begin(struct parser *parser, struct span line, struct err *err)
{
	size_t key_size = 0;
	struct span value;
	struct span key;

	while (key_size < line.size_bytes && !strchr("=:", line.data[key_size]))
		key_size++;
	if (key_size == line.size_bytes)
		return parser_fail(
			parser, err, "neither a [section], a key with '=' or ':' nor a comment");
	key = trim((struct span){line.data, key_size});
	if (key.size_bytes == 0)
		return parser_fail(parser, err, "no key in front of '=' or ':'");
	if (!parser->section)
		return parser_fail(parser, err, "a key before the first [section]");
	value = without_quotes(
		trim((struct span){line.data + key_size + 1, line.size_bytes - key_size - 1}));
	parser->key = xmemdup_text(key.data, key.size_bytes);
	parser->key_line = parser->line;
	buf_clear(&parser->value);
	buf_append(&parser->value, value.data, value.size_bytes);
	return 0;
}

static int assignment_continue(struct parser *parser, struct span line, struct err *err)
{
	struct span more = trim(line);

	if (!parser->key)
		return parser_fail(parser, err,
			"an indented line goes on with a value, but does not follow one: a key "
			"must start in the first column");
	buf_append_char(&parser->value, '\n');
	buf_append(&parser->value, more.data, more.size_bytes);
	return 0;
}

static int section_begin(struct parser *parser, struct span line, struct err *err)
{
	if (line.data[line.size_bytes - 1] != ']')
		return parser_fail(parser, err, "a [section] must end with ']'");
	if (line.size_bytes == 2)
		return parser_fail(parser, err, "a [section] must have a name");
	free(parser->section);
	parser->section = xmemdup_text(line.data + 1, line.size_bytes - 2);
	if (!text_equal(parser->section, "DEFAULT"))
		for (char *c = parser->section; *c; c++)
			*c = (char)tolower((unsigned char)*c);
	return 0;
}

static int line_parse(struct parser *parser, struct span line, struct err *err)
{
	int r;

	if (!text_is_utf8(line.data, line.size_bytes))
		return parser_fail(parser, err, "not UTF-8 text without NUL");
	line = trim_end(line);
	if (line.size_bytes > 0 && (line.data[0] == ' ' || line.data[0] == '\t'))
		return assignment_continue(parser, line, err);
	r = assignment_end(parser, err);
	if (r < 0 || line.size_bytes == 0 || line.data[0] == '#' || line.data[0] == ';')
		return r;
	if (line.data[0] == '[')
		return section_begin(parser, line, err);
	return assignment_begin(parser, line, err);
}

/* Takes the next line of what is left; it comes without its end. */
static struct span line_take(struct span *left)
{
	struct span line = {left->data, 0};
	size_t end_size = 0;

	while (line.size_bytes < left->size_bytes && line.data[line.size_bytes] != '\n' &&
		line.data[line.size_bytes] != '\r')
		line.size_bytes++;
	if (line.size_bytes < left->size_bytes) {
		const char *end = line.data + line.size_bytes;
		bool is_pair =
			left->size_bytes - line.size_bytes > 1 && end[0] == '\r' && end[1] == '\n';

		end_size = is_pair ? 2 : 1;
	}
	left->data += line.size_bytes + end_size;
	left->size_bytes -= line.size_bytes + end_size;
	return line;
}

struct ini *ini_new(void)
{
	return xcalloc(1, sizeof(struct ini));
}

void ini_free(struct ini *ini)
{
	if (!ini)
		return;
	for (size_t i = 0; i < ini->count; i++) {
		free(ini->entries[i].section);
		free(ini->entries[i].key);
		text_wipe(ini->entries[i].value);
	}
	for (size_t i = 0; i < ini->file_count; i++)
		free(ini->files[i]);
	free(ini->entries);
	free(ini->files);
	free(ini);
}

static const char *file_name_keep(struct ini *ini, const char *file)
{
	ini->files = xrealloc_array(ini->files, ini->file_count + 1, sizeof(*ini->files));
	ini->files[ini->file_count] = xstrdup(file);
	return ini->files[ini->file_count++];
}

int ini_parse(
	struct ini *ini, const char *file, const char *text, size_t size_bytes, struct err *err)
{
	CLEANUP(parser_deinit)
	struct parser parser = {
		.ini = ini,
		.file = file_name_keep(ini, file),
		.value = BUF_INIT(INI_FILE_MAX_BYTES),
	};
	struct span left = {text, size_bytes};

	if (size_bytes > INI_FILE_MAX_BYTES)
		return err_set(
			err, -EMSGSIZE, "%s: larger than %d bytes", file, INI_FILE_MAX_BYTES);
	while (left.size_bytes > 0) {
		struct span line = line_take(&left);
		int r;

		parser.line++;
		r = line_parse(&parser, line, err);
		if (r < 0)
			return r;
	}
	return assignment_end(&parser, err);
}

int ini_read(struct ini *ini, const char *path, struct err *err)
{
	CLEANUP(buf_wipe) struct buf text = BUF_INIT(INI_FILE_MAX_BYTES);
	int r = file_read(path, &text, err);

	if (r < 0)
		return r;
	return ini_parse(ini, path, buf_text(&text), text.size_bytes, err);
}

const struct ini_entry *ini_find(const struct ini *ini, const char *section, const char *key)
{
	for (size_t i = ini->count; i-- > 0;)
		if (text_equal(ini->entries[i].key, key) &&
			text_equal(ini->entries[i].section, section))
			return &ini->entries[i];
	return NULL;
}

size_t ini_count(const struct ini *ini)
{
	return ini->count;
}

const struct ini_entry *ini_entry_at(const struct ini *ini, size_t index)
{
	assert(index < ini->count);
	return &ini->entries[index];
}
