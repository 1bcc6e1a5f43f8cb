/* SPDX-License-Identifier: Apache-2.0 */
#include "heartbeat/counters.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "heartbeat/json_text.h"
#include "traffic/traffic_json.h"

struct entry {
	char *listener;
	struct traffic last;
	struct traffic carried; /* of last; what no restart of ours would see again */
	bool is_observed;       /* while a commit is under way */
};

struct counters {
	struct entry *entries; /* sorted by listener */
	size_t count;
};

DEFINE_CLEANUP(json_t *, json_decref);
DEFINE_CLEANUP(struct counters *, counters_free);

static int entry_compare(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->listener, ((const struct entry *)b)->listener);
}

static void entries_sort(struct counters *counters)
{
	if (counters->count > 1)
		qsort(counters->entries, counters->count, sizeof(*counters->entries),
			entry_compare);
}

static struct entry *entry_find(const struct counters *counters, const char *listener)
{
	struct entry key = {.listener = (char *)listener};

	if (counters->count == 0)
		return NULL;
	return bsearch(&key, counters->entries, counters->count, sizeof(key), entry_compare);
}

static struct entry *entry_add(struct counters *counters, const char *listener)
{
	struct entry *entry;

	counters->entries =
		xrealloc_array(counters->entries, counters->count + 1, sizeof(*counters->entries));
	entry = &counters->entries[counters->count++];
	*entry = (struct entry){.listener = xstrdup(listener), .is_observed = true};
	return entry;
}

struct counters *counters_new(void)
{
	return xcalloc(1, sizeof(struct counters));
}

static void entries_free(struct counters *counters)
{
	for (size_t i = 0; i < counters->count; i++)
		free(counters->entries[i].listener);
	free(counters->entries);
	*counters = (struct counters){.entries = NULL};
}

void counters_free(struct counters *counters)
{
	if (!counters)
		return;
	entries_free(counters);
	free(counters);
}

int counters_parse(
	struct counters *counters, const char *text, size_t text_size_bytes, struct err *err)
{
	CLEANUP(cleanup_counters_free) struct counters *parsed = counters_new();
	CLEANUP(cleanup_json_decref) json_t *root = NULL;
	json_error_t fault;
	const char *name;
	json_t *listener;

	root = json_loadb(text, text_size_bytes, JSON_REJECT_DUPLICATES, &fault);
	if (!root)
		return err_set(err, -EINVAL, "counters: line %d: %s", fault.line, fault.text);
	if (!json_is_object(root))
		return err_set(err, -EINVAL, "counters: a JSON object is expected");
	json_object_foreach(root, name, listener)
	{
		struct traffic last;

		if (traffic_parse(listener, &last) < 0)
			return err_set(err, -EINVAL,
				"counters of listener %.80s: four numbers bin, bout, ereq, stot "
				"are expected",
				name);
		entry_add(parsed, name)->last = last;
	}
	entries_sort(parsed);
	entries_free(counters);
	*counters = *parsed;
	*parsed = (struct counters){.entries = NULL};
	return 0;
}

int counters_load(struct counters *counters, const char *path, struct err *err)
{
	cleanup_buf struct buf text = BUF_INIT(COUNTERS_MAX_BYTES);
	int r = file_read(path, &text, err);

	if (r < 0)
		return r;
	r = counters_parse(counters, buf_text(&text), text.size_bytes, err);
	return r < 0 ? err_wrap(err, r, "reading %s", path) : 0;
}

int counters_store(const struct counters *counters, const char *path, struct err *err)
{
	cleanup_buf struct buf text = BUF_INIT(COUNTERS_MAX_BYTES);

	buf_append_char(&text, '{');
	for (size_t i = 0; i < counters->count; i++) {
		const struct traffic *last = &counters->entries[i].last;
		const struct traffic *carried = &counters->entries[i].carried;

		buf_append_text(&text, i > 0 ? ",\n" : "");
		json_text_append(&text, counters->entries[i].listener);
		buf_append_format(&text,
			":{\"bin\":%" PRIu64 ",\"bout\":%" PRIu64 ",\"ereq\":%" PRIu64
			",\"stot\":%" PRIu64 "}",
			last->bytes_in - carried->bytes_in, last->bytes_out - carried->bytes_out,
			last->errors_request - carried->errors_request,
			last->sessions_total - carried->sessions_total);
	}
	buf_append_text(&text, "}\n");
	if (buf_error(&text))
		return err_set(err, buf_error(&text), "writing %s: more than %d bytes", path,
			COUNTERS_MAX_BYTES);
	return file_replace_nosync(path, buf_text(&text), text.size_bytes, 0644, err);
}

struct traffic *counters_differences(
	const struct counters *counters, const struct observation *observation)
{
	struct traffic *differences = xcalloc(observation->listener_count, sizeof(*differences));

	for (size_t i = 0; i < observation->listener_count; i++) {
		const struct observed_listener *listener = &observation->listeners[i];
		const struct entry *entry = entry_find(counters, listener->id);

		if (listener->is_uncounted)
			continue;
		differences[i] = listener->total;
		if (!entry || traffic_has_gone_down(&listener->total, &entry->last))
			continue;
		differences[i].bytes_in -= entry->last.bytes_in;
		differences[i].bytes_out -= entry->last.bytes_out;
		differences[i].errors_request -= entry->last.errors_request;
		differences[i].sessions_total -= entry->last.sessions_total;
	}
	return differences;
}

static void entries_drop_unobserved(struct counters *counters)
{
	size_t kept = 0;

	for (size_t i = 0; i < counters->count; i++)
		if (counters->entries[i].is_observed)
			counters->entries[kept++] = counters->entries[i];
		else
			free(counters->entries[i].listener);
	counters->count = kept;
}

void counters_commit(struct counters *counters, const struct observation *observation)
{
	/* Searches go on in the sorted part while new entries gather behind it. */
	struct counters known = *counters;

	for (size_t i = 0; i < counters->count; i++)
		counters->entries[i].is_observed = false;
	for (size_t i = 0; i < observation->listener_count; i++) {
		const struct observed_listener *listener = &observation->listeners[i];
		struct entry *entry;

		known.entries = counters->entries;
		entry = entry_find(&known, listener->id);
		if (entry)
			entry->is_observed = true;
		if (listener->is_uncounted)
			continue;
		if (!entry)
			entry = entry_add(counters, listener->id);
		entry->last = listener->total;
		entry->carried = listener->carried;
	}
	if (!observation->is_partial)
		entries_drop_unobserved(counters);
	entries_sort(counters);
}
