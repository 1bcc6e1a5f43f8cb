/* SPDX-License-Identifier: Apache-2.0 */
#include "haproxy/config_line.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"

/* Of all versions since 2.6; their keywords mean nothing else at the start of a line. */
static const char *const section_keywords[] = {
	"acme",
	"backend",
	"cache",
	"crt-store",
	"defaults",
	"fcgi-app",
	"frontend",
	"global",
	"healthcheck",
	"http-errors",
	"listen",
	"log-forward",
	"log-profile",
	"mailers",
	"namespace_list",
	"peers",
	"program",
	"resolvers",
	"ring",
	"traces",
	"userlist",
};

static bool is_section_keyword(const char *word)
{
	for (size_t i = 0; i < sizeof(section_keywords) / sizeof(section_keywords[0]); i++)
		if (text_equal(section_keywords[i], word))
			return true;
	return false;
}

void haproxy_lines_init(struct haproxy_lines *lines, const char *text, size_t size_bytes)
{
	*lines = (struct haproxy_lines){
		.next = text,
		.end = text + size_bytes,
		.words = BUF_INIT(SIZE_MAX / 2),
		.section = BUF_INIT(SIZE_MAX / 2),
		.section_name = BUF_INIT(SIZE_MAX / 2),
	};
}

void haproxy_lines_deinit(struct haproxy_lines *lines)
{
	buf_deinit(&lines->words);
	buf_deinit(&lines->section);
	buf_deinit(&lines->section_name);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/*
 * What the backslash at at stands for, of left bytes with it; *ret_size is how many of them it
 * takes. A backslash that escapes nothing is itself.
 */
static char unescape(const char *at, size_t left, size_t *ret_size)
{
	char next = left > 1 ? at[1] : '\0';

	*ret_size = 2;
	switch (next) {
	case ' ':
	case '\\':
	case '#':
	case '\'':
	case '"':
	case '$':
		return next;
	case 't':
		return '\t';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 'x':
		if (left > 3 && hex_digit(at[2]) >= 0 && hex_digit(at[3]) >= 0) {
			*ret_size = 4;
			return (char)(hex_digit(at[2]) << 4 | hex_digit(at[3]));
		}
	}
	*ret_size = 1;
	return '\\';
}

/*
 * The word that starts at text, unquoted and with a NUL behind it, into words. Returns how many
 * bytes of text it took. Environment variables stay as they are written.
 */
static size_t word_read(const char *text, size_t size_bytes, struct buf *words, bool *plain)
{
	char quote = '\0';
	size_t at = 0;

	while (at < size_bytes) {
		char c = text[at];
		size_t taken = 1;

		if (!quote && (isspace((unsigned char)c) || c == '#'))
			break;
		if (c == '\\' && quote != '\'') {
			c = unescape(text + at, size_bytes - at, &taken);
			*plain = false;
		} else if ((c == '"' || c == '\'') && (!quote || quote == c)) {
			quote = quote ? '\0' : c;
			*plain = false;
			at++;
			continue;
		}
		buf_append_char(words, c);
		at += taken;
	}
	buf_append_char(words, '\0');
	return at;
}

/* Fills words, plain and word_count; offsets, because the buffer may move while it grows. */
static void line_split(struct haproxy_line *line, struct buf *words)
{
	size_t offsets[HAPROXY_LINE_WORDS_MAX];
	size_t at = 0;

	buf_clear(words);
	line->plain = true;
	line->word_count = 0;
	while (line->word_count < HAPROXY_LINE_WORDS_MAX) {
		while (at < line->size_bytes && isspace((unsigned char)line->text[at]))
			at++;
		if (at == line->size_bytes || line->text[at] == '#')
			break;
		offsets[line->word_count++] = words->size_bytes;
		at += word_read(line->text + at, line->size_bytes - at, words, &line->plain);
	}
	for (size_t i = 0; i < HAPROXY_LINE_WORDS_MAX; i++)
		line->words[i] = i < line->word_count ? words->data + offsets[i] : "";
}

static void section_enter(struct haproxy_lines *lines, const struct haproxy_line *line)
{
	buf_clear(&lines->section);
	buf_append_text(&lines->section, line->words[0]);
	buf_clear(&lines->section_name);
	buf_append_text(&lines->section_name, line->words[1]);
}

bool haproxy_lines_next(struct haproxy_lines *lines, struct haproxy_line *ret_line)
{
	while (lines->next < lines->end) {
		size_t left = (size_t)(lines->end - lines->next);
		const char *newline = memchr(lines->next, '\n', left);

		ret_line->text = lines->next;
		ret_line->size_bytes = newline ? (size_t)(newline - lines->next) : left;
		ret_line->number = ++lines->number;
		lines->next += ret_line->size_bytes + (newline ? 1 : 0);
		line_split(ret_line, &lines->words);
		if (ret_line->word_count == 0)
			continue;
		ret_line->opens_section = is_section_keyword(ret_line->words[0]);
		if (ret_line->opens_section)
			section_enter(lines, ret_line);
		ret_line->section = buf_text(&lines->section);
		ret_line->section_name = buf_text(&lines->section_name);
		return true;
	}
	return false;
}

bool haproxy_line_is(const struct haproxy_line *line, const char *keyword, const char *second)
{
	return text_equal(line->words[0], keyword) &&
	       (!second || text_equal(line->words[1], second));
}
