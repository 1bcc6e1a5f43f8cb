/* SPDX-License-Identifier: Apache-2.0 */
#include "prometheus/answer.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

/* More than any chunk of HAProxy's, and no overflow. */
enum { CHUNK_SIZE_DIGITS_MAX = 7 };

static int status_parse(struct answer *answer, const char *line, struct err *err)
{
	static const char wanted[] = "HTTP/1.1 200";

	if (!text_starts_with(line, wanted) ||
		(line[strlen(wanted)] && line[strlen(wanted)] != ' '))
		return err_set(err, -EBADMSG, "it answered '%.100s', not 200", line);
	answer->part = ANSWER_HEADER;
	return 0;
}

static int header_parse(struct answer *answer, const char *line, struct err *err)
{
	static const char name[] = "Transfer-Encoding:";
	const char *value;
	size_t value_size;

	if (line[0] == '\0') {
		answer->part = ANSWER_CHUNK_SIZE;
		return answer->is_chunked
			       ? 0
			       : err_set(err, -EBADMSG, "its answer does not come in chunks");
	}
	if (strncasecmp(line, name, strlen(name)) != 0)
		return 0;
	value = text_trim(line + strlen(name), strlen(line + strlen(name)), &value_size);
	answer->is_chunked =
		value_size == strlen("chunked") && strncasecmp(value, "chunked", value_size) == 0;
	return 0;
}

/* In hexadecimal; extensions behind it are passed over. */
static int chunk_size_parse(struct answer *answer, const char *line, struct err *err)
{
	size_t digits = strspn(line, "0123456789abcdefABCDEF");

	if (digits == 0 || digits > CHUNK_SIZE_DIGITS_MAX ||
		(line[digits] && !strchr("; \t", line[digits])))
		return err_set(err, -EBADMSG, "'%.20s' is no size of a chunk", line);
	answer->chunk_left_bytes = strtoul(line, NULL, 16);
	answer->part = answer->chunk_left_bytes > 0 ? ANSWER_CHUNK : ANSWER_TRAILER;
	return 0;
}

static int chunk_end_parse(struct answer *answer, const char *line, struct err *err)
{
	if (line[0] != '\0')
		return err_set(err, -EBADMSG, "a chunk is longer than its size");
	answer->part = ANSWER_CHUNK_SIZE;
	return 0;
}

static int line_parse(struct answer *answer, const char *line, struct err *err)
{
	switch (answer->part) {
	case ANSWER_STATUS:
		return status_parse(answer, line, err);
	case ANSWER_HEADER:
		return header_parse(answer, line, err);
	case ANSWER_CHUNK_SIZE:
		return chunk_size_parse(answer, line, err);
	case ANSWER_CHUNK_END:
		return chunk_end_parse(answer, line, err);
	default:
		if (line[0] == '\0')
			answer->part = ANSWER_COMPLETE;
		return 0;
	}
}

/* Takes bytes up to the end of a line, and the line when it is whole. */
static int line_take(struct answer *answer, const char **data, size_t *size_bytes, struct err *err)
{
	const char *end = memchr(*data, '\n', *size_bytes);
	size_t taken = end ? (size_t)(end - *data) : *size_bytes;
	struct buf *line = &answer->line;
	int r = 0;

	buf_append(line, *data, taken);
	if (buf_error(line))
		return err_set(err, -EMSGSIZE, "its answer has a line of more than %d bytes",
			ANSWER_LINE_MAX);
	*data += taken + (end != NULL);
	*size_bytes -= taken + (end != NULL);
	if (!end)
		return 0;
	if (line->size_bytes > 0 && line->data[line->size_bytes - 1] == '\r')
		line->data[line->size_bytes - 1] = '\0';
	r = line_parse(answer, buf_text(line), err);
	buf_clear(line);
	return r;
}

int answer_take(struct answer *answer, const char **data, size_t *size_bytes,
	const char **ret_piece, size_t *ret_piece_size_bytes, struct err *err)
{
	while (*size_bytes > 0 && answer->part != ANSWER_COMPLETE) {
		size_t taken = *size_bytes;
		int r;

		if (answer->part != ANSWER_CHUNK) {
			r = line_take(answer, data, size_bytes, err);
			if (r < 0)
				return r;
			continue;
		}
		if (taken > answer->chunk_left_bytes)
			taken = answer->chunk_left_bytes;
		answer->chunk_left_bytes -= taken;
		if (answer->chunk_left_bytes == 0)
			answer->part = ANSWER_CHUNK_END;
		*ret_piece = *data;
		*ret_piece_size_bytes = taken;
		*data += taken;
		*size_bytes -= taken;
		return 1;
	}
	return 0;
}

void answer_give_back(
	struct answer *answer, const char **data, size_t *data_size_bytes, size_t size_bytes)
{
	if (size_bytes == 0)
		return;
	answer->part = ANSWER_CHUNK;
	answer->chunk_left_bytes += size_bytes;
	*data -= size_bytes;
	*data_size_bytes += size_bytes;
}

void answer_deinit(struct answer *answer)
{
	buf_deinit(&answer->line);
}
