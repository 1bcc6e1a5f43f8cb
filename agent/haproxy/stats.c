/* SPDX-License-Identifier: Apache-2.0 */
#include "haproxy/stats.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "sys/stats_socket.h"

static const char command[] = "show stat";

enum { COLUMN_MAX = 512, ROWS_AT_FIRST = 64, ROWS_MAX = 256 * 1024, QUOTED_FROM_ANSWER = 60 };

/* The values of HAProxy's "type" column that are told apart. */
enum { TYPE_FRONTEND = 0, TYPE_BACKEND = 1, TYPE_SERVER = 2, TYPE_MISSING = UINT32_MAX };

enum field_kind {
	FIELD_NONE, /* a column that nobody asks for */
	FIELD_TEXT,
	FIELD_NUMBER,       /* "" is 0, anything that is no number makes the answer invalid */
	FIELD_NUMBER_LOOSE, /* only shown to people: what is no number is 0 */
};

/* What one line holds, before it is known whether it is a row that counts. */
struct line {
	struct haproxy_stat stat;
	uint64_t type;
};

struct column {
	const char *name;
	enum field_kind kind;
	size_t offset;
	bool required;
};

#define COLUMN(name, kind, member)                                                                 \
	{                                                                                          \
		name, kind, offsetof(struct line, member), false                                   \
	}
#define REQUIRED(name, kind, member)                                                               \
	{                                                                                          \
		name, kind, offsetof(struct line, member), true                                    \
	}

static const struct column known_columns[] = {
	REQUIRED("pxname", FIELD_TEXT, stat.proxy),
	REQUIRED("svname", FIELD_TEXT, stat.server),
	REQUIRED("status", FIELD_TEXT, stat.status),
	REQUIRED("scur", FIELD_NUMBER, stat.sessions),
	REQUIRED("stot", FIELD_NUMBER, stat.sessions_total),
	REQUIRED("bin", FIELD_NUMBER, stat.bytes_in),
	REQUIRED("bout", FIELD_NUMBER, stat.bytes_out),
	COLUMN("ereq", FIELD_NUMBER, stat.errors_request),
	COLUMN("weight", FIELD_NUMBER, stat.weight),
	COLUMN("type", FIELD_NUMBER, type),
	COLUMN("lastchg", FIELD_NUMBER_LOOSE, stat.last_change_s),
	COLUMN("check_status", FIELD_TEXT, stat.check_status),
	COLUMN("check_code", FIELD_NUMBER_LOOSE, stat.check_code),
	COLUMN("check_duration", FIELD_NUMBER_LOOSE, stat.check_duration_ms),
	COLUMN("last_chk", FIELD_TEXT, stat.last_check),
	COLUMN("addr", FIELD_TEXT, stat.address),
};
enum { KNOWN_COLUMN_COUNT = sizeof(known_columns) / sizeof(known_columns[0]) };

static const struct column unknown_column = {"", FIELD_NONE, 0, false};

struct reader {
	char *at;
	size_t line_number;
	/* The columns of this answer, up to the last one that somebody asks for. */
	const struct column *columns[COLUMN_MAX];
	size_t column_count;
	struct haproxy_stat *rows;
	size_t row_count;
	size_t row_capacity;
};

/* Takes a quoted field apart in place: "" is one quote. NULL when the quotes do not match. */
static char *quoted_field_end(char *start)
{
	char *to = start;
	char *from = start + 1;

	for (; *from; from++) {
		if (*from == '"' && *++from != '"') {
			*to = '\0';
			return from;
		}
		*to++ = *from;
	}
	return NULL;
}

/*
 * The next field of the line, unquoted in place and ended by a NUL; *ret_delimiter is what followed
 * it: ',' or '\n'. NULL when the text ends or the quotes do not match.
 */
static char *field_read(struct reader *reader, char *ret_delimiter)
{
	char *start = reader->at;
	char *end = start;

	if (*start == '"')
		end = quoted_field_end(start);
	else
		while (*end != ',' && *end != '\n' && *end != '\0')
			end++;
	if (!end || (*end != ',' && *end != '\n'))
		return NULL;
	*ret_delimiter = *end;
	*end = '\0';
	reader->at = end + 1;
	return start;
}

/* Skips to the start of the next line; quoted fields may hold line ends. False: the text ends. */
static bool line_skip(struct reader *reader)
{
	char *at = reader->at;

	for (;;) {
		at += strcspn(at, "\n\"");
		if (*at == '\n') {
			reader->at = at + 1;
			return true;
		}
		at = *at == '"' ? strchr(at + 1, '"') : NULL;
		if (!at)
			return false;
		at++;
	}
}

static const struct column *column_find(const char *name)
{
	for (size_t i = 0; i < KNOWN_COLUMN_COUNT; i++)
		if (text_equal(known_columns[i].name, name))
			return &known_columns[i];
	return &unknown_column;
}

static bool has_column(const struct reader *reader, const struct column *column)
{
	for (size_t i = 0; i < reader->column_count; i++)
		if (reader->columns[i] == column)
			return true;
	return false;
}

/* The first line: "# pxname,svname,…,". */
static int header_read(struct reader *reader, struct err *err)
{
	char delimiter = ',';

	if (!text_starts_with(reader->at, "# "))
		return err_set(err, -EBADMSG, "not an answer to '%s': it starts with '%.*s'",
			command, QUOTED_FROM_ANSWER, reader->at);
	reader->at += 2;
	for (size_t i = 0; delimiter != '\n'; i++) {
		const char *name = field_read(reader, &delimiter);

		if (!name || i == COLUMN_MAX)
			return err_set(err, -EBADMSG, "'%s': the line of column names does not end",
				command);
		reader->columns[i] = column_find(name);
		if (reader->columns[i] != &unknown_column)
			reader->column_count = i + 1;
	}
	for (size_t i = 0; i < KNOWN_COLUMN_COUNT; i++)
		if (known_columns[i].required && !has_column(reader, &known_columns[i]))
			return err_set(err, -EBADMSG, "'%s': column '%s' is missing", command,
				known_columns[i].name);
	reader->line_number = 1;
	return 0;
}

static int field_store(const struct column *column, const char *field, struct line *line)
{
	void *place = (char *)line + column->offset;
	uint64_t number = 0;
	int r;

	switch (column->kind) {
	case FIELD_NONE:
		break;
	case FIELD_TEXT:
		*(const char **)place = field;
		break;
	case FIELD_NUMBER:
	case FIELD_NUMBER_LOOSE:
		r = field[0] ? text_parse_u64(field, 0, UINT64_MAX, &number) : 0;
		if (r < 0 && column->kind == FIELD_NUMBER)
			return r;
		*(uint64_t *)place = number;
		break;
	}
	return 0;
}

static int line_read(struct reader *reader, struct line *line, struct err *err)
{
	char delimiter = ',';

	*line = (struct line){
		.stat = {.proxy = "",
			.server = "",
			.status = "",
			.check_status = "",
			.last_check = "",
			.address = ""},
		.type = TYPE_MISSING,
	};
	reader->line_number++;
	for (size_t i = 0; i < reader->column_count; i++) {
		const char *field = delimiter == '\n' ? NULL : field_read(reader, &delimiter);

		if (!field)
			return err_set(err, -EBADMSG, "'%s': line %zu is not whole", command,
				reader->line_number);
		if (field_store(reader->columns[i], field, line) < 0)
			return err_set(err, -EBADMSG, "'%s': line %zu: %s is '%.*s', no number",
				command, reader->line_number, reader->columns[i]->name,
				QUOTED_FROM_ANSWER, field);
	}
	if (delimiter != '\n' && !line_skip(reader))
		return err_set(
			err, -EBADMSG, "'%s': line %zu does not end", command, reader->line_number);
	return 0;
}

/* Fills in what kind of row it is; false when it is none that counts. */
static bool line_classify(struct line *line)
{
	struct haproxy_stat *stat = &line->stat;

	if (strstr(stat->proxy, "prometheus"))
		return false;
	if (line->type == TYPE_MISSING)
		line->type = text_equal(stat->server, "FRONTEND")  ? TYPE_FRONTEND
			     : text_equal(stat->server, "BACKEND") ? TYPE_BACKEND
								   : TYPE_SERVER;
	switch (line->type) {
	case TYPE_FRONTEND:
		stat->kind = HAPROXY_STAT_FRONTEND;
		return true;
	case TYPE_BACKEND:
		stat->kind = HAPROXY_STAT_BACKEND;
		return true;
	case TYPE_SERVER:
		stat->kind = HAPROXY_STAT_SERVER;
		if (stat->weight == 0 &&
			(text_equal(stat->status, "UP") || text_starts_with(stat->status, "UP ")))
			stat->status = "DRAIN";
		return true;
	default:
		return false;
	}
}

static void row_add(struct reader *reader, const struct haproxy_stat *stat)
{
	if (reader->row_count == reader->row_capacity) {
		reader->row_capacity =
			reader->row_capacity ? reader->row_capacity * 2 : ROWS_AT_FIRST;
		reader->rows =
			xrealloc_array(reader->rows, reader->row_capacity, sizeof(*reader->rows));
	}
	reader->rows[reader->row_count++] = *stat;
}

static int rows_read(struct reader *reader, struct err *err)
{
	struct line line;

	while (*reader->at != '\n') {
		int r;

		if (*reader->at == '\0')
			return err_set(err, -EBADMSG, "'%s': the answer breaks off after line %zu",
				command, reader->line_number);
		r = line_read(reader, &line, err);
		if (r < 0)
			return r;
		if (!line_classify(&line))
			continue;
		if (reader->row_count == ROWS_MAX)
			return err_set(
				err, -EMSGSIZE, "'%s': more than %d rows", command, ROWS_MAX);
		row_add(reader, &line.stat);
	}
	return 0;
}

int haproxy_stats_parse(char *text, struct haproxy_stats *ret_stats, struct err *err)
{
	cleanup_free char *owned_text = text;
	struct reader reader = {.at = text};
	int r = header_read(&reader, err);

	if (r == 0)
		r = rows_read(&reader, err);
	if (r < 0) {
		free(reader.rows);
		return r;
	}
	*ret_stats = (struct haproxy_stats){
		.rows = reader.rows,
		.row_count = reader.row_count,
		.text = take_ptr(owned_text),
	};
	return 0;
}

int haproxy_stats_query(
	const char *socket_path, int timeout_ms, struct haproxy_stats *ret_stats, struct err *err)
{
	struct haproxy_stats_inquiry inquiry = {.socket_path = socket_path};

	haproxy_stats_query_all(&inquiry, 1, timeout_ms);
	if (inquiry.result < 0)
		return err_set(err, inquiry.result, "%s", inquiry.err.text);
	*ret_stats = inquiry.stats;
	return 0;
}

static void inquiry_conclude(
	struct haproxy_stats_inquiry *inquiry, struct stats_socket_exchange *exchange)
{
	inquiry->stats = (struct haproxy_stats){.rows = NULL};
	inquiry->result = exchange->result;
	inquiry->err = exchange->err;
	if (exchange->result == 0)
		inquiry->result = haproxy_stats_parse(
			buf_take_text(&exchange->answer), &inquiry->stats, &inquiry->err);
	if (exchange->result == 0 && inquiry->result < 0)
		err_wrap(&inquiry->err, inquiry->result, "asking %s", inquiry->socket_path);
	buf_deinit(&exchange->answer);
}

void haproxy_stats_query_all(struct haproxy_stats_inquiry *inquiries, size_t count, int timeout_ms)
{
	cleanup_free struct stats_socket_exchange *exchanges = xcalloc(count, sizeof(*exchanges));

	for (size_t i = 0; i < count; i++)
		exchanges[i] = (struct stats_socket_exchange){
			.path = inquiries[i].socket_path,
			.command = command,
			.answer = BUF_INIT(HAPROXY_STATS_MAX_BYTES),
		};
	stats_socket_exchange_all(exchanges, count, timeout_ms);
	for (size_t i = 0; i < count; i++)
		inquiry_conclude(&inquiries[i], &exchanges[i]);
}

void haproxy_stats_deinit(struct haproxy_stats *stats)
{
	free(stats->rows);
	free(stats->text);
	*stats = (struct haproxy_stats){.rows = NULL};
}
