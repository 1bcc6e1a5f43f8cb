/* SPDX-License-Identifier: Apache-2.0 */
#include "heartbeat/message.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "heartbeat/envelope.h"
#include "heartbeat/json_text.h"

enum { TEXT_MAX_BYTES = 64 * MIB };

static void listener_format(const struct observed_listener *listener,
	const struct traffic *difference, struct buf *ret_text)
{
	json_text_append(ret_text, listener->id);
	buf_append_text(ret_text, ":{\"status\":");
	json_text_append(ret_text, listener->status);
	buf_append_format(ret_text,
		",\"stats\":{\"tx\":%" PRIu64 ",\"rx\":%" PRIu64 ",\"conns\":%" PRIu64
		",\"totconns\":%" PRIu64 ",\"ereq\":%" PRIu64 "}}",
		difference->bytes_out, difference->bytes_in, listener->sessions,
		difference->sessions_total, difference->errors_request);
}

static void pool_format(const struct observation *observation, const struct observed_pool *pool,
	struct buf *ret_text)
{
	const struct observed_member *members = observation->members + pool->first_member;

	json_text_append(ret_text, pool->key);
	buf_append_text(ret_text, ":{\"status\":");
	json_text_append(ret_text, pool->status);
	buf_append_text(ret_text, ",\"members\":{");
	for (size_t i = 0; i < pool->member_count; i++) {
		if (i > 0)
			buf_append_char(ret_text, ',');
		json_text_append(ret_text, members[i].id);
		buf_append_char(ret_text, ':');
		json_text_append(ret_text, members[i].status);
	}
	buf_append_text(ret_text, "}}");
}

/* The length of POOL in "POOL:LISTENER". */
static size_t pool_id_size_bytes(const char *key)
{
	return strcspn(key, ":");
}

static int pool_compare(const void *a, const void *b)
{
	const struct observed_pool *left = *(const struct observed_pool *const *)a;
	const struct observed_pool *right = *(const struct observed_pool *const *)b;
	size_t left_size = pool_id_size_bytes(left->key);
	size_t right_size = pool_id_size_bytes(right->key);
	int order = memcmp(left->key, right->key, left_size < right_size ? left_size : right_size);

	if (order != 0 || left_size != right_size)
		return order != 0 ? order : left_size < right_size ? -1 : 1;
	return left < right ? -1 : left > right;
}

static bool is_same_pool(const struct observed_pool *a, const struct observed_pool *b)
{
	size_t size_bytes = pool_id_size_bytes(a->key);

	return size_bytes == pool_id_size_bytes(b->key) && memcmp(a->key, b->key, size_bytes) == 0;
}

/*
 * For each pool whether an earlier one has the same pool id; the caller frees it. NULL when no pool
 * is shared.
 */
static bool *find_shared_pools(const struct observation *observation)
{
	size_t count = observation->pool_count;
	cleanup_free const struct observed_pool **sorted = xcalloc(count, sizeof(*sorted));
	cleanup_free bool *is_shared = xcalloc(count, sizeof(*is_shared));
	bool has_shared = false;

	for (size_t i = 0; i < count; i++)
		sorted[i] = &observation->pools[i];
	if (count > 1)
		qsort(sorted, count, sizeof(*sorted), pool_compare);
	for (size_t i = 1; i < count; i++)
		if (is_same_pool(sorted[i], sorted[i - 1])) {
			is_shared[sorted[i] - observation->pools] = true;
			has_shared = true;
		}
	return has_shared ? take_ptr(is_shared) : NULL;
}

static void pools_format(
	const struct observation *observation, const bool *is_left_out, struct buf *ret_text)
{
	const char *comma = "";

	for (size_t i = 0; i < observation->pool_count; i++) {
		if (is_left_out && is_left_out[i])
			continue;
		buf_append_text(ret_text, comma);
		pool_format(observation, &observation->pools[i], ret_text);
		comma = ",";
	}
}

void message_format(const struct message *message, enum message_detail detail, struct buf *ret_text)
{
	const struct observation *observation = message->observation;
	cleanup_free bool *shared =
		detail == MESSAGE_SHARED_POOLS_ONCE ? find_shared_pools(observation) : NULL;

	buf_append_text(ret_text, "{\"id\":");
	json_text_append(ret_text, message->amphora_id->text);
	buf_append_format(ret_text, ",\"seq\":%" PRIu64 ",\"ver\":3,\"listeners\":{", message->seq);
	for (size_t i = 0; i < observation->listener_count; i++) {
		if (i > 0)
			buf_append_char(ret_text, ',');
		listener_format(&observation->listeners[i], &message->differences[i], ret_text);
	}
	buf_append_text(ret_text, "},\"pools\":{");
	if (detail != MESSAGE_NO_POOLS)
		pools_format(observation, shared, ret_text);
	buf_append_text(ret_text, "}}");
}

static int seal_with(const struct message *message, enum message_detail detail, const char *key,
	struct buf *ret_datagram, struct err *err)
{
	cleanup_buf struct buf text = BUF_INIT(TEXT_MAX_BYTES);

	message_format(message, detail, &text);
	if (buf_error(&text))
		return err_set(err, buf_error(&text), "the message is larger than %d bytes",
			TEXT_MAX_BYTES);
	return envelope_seal(buf_text(&text), text.size_bytes, key, ret_datagram, err);
}

static bool has_shared_pools(const struct observation *observation)
{
	cleanup_free bool *shared = find_shared_pools(observation);

	return shared;
}

int message_seal(const struct message *message, const char *key, struct buf *ret_datagram,
	enum message_detail *ret_detail, struct err *err)
{
	enum message_detail detail = MESSAGE_WHOLE;
	int r = seal_with(message, detail, key, ret_datagram, err);

	if (r == -EMSGSIZE && has_shared_pools(message->observation)) {
		detail = MESSAGE_SHARED_POOLS_ONCE;
		r = seal_with(message, detail, key, ret_datagram, err);
	}
	if (r == -EMSGSIZE) {
		detail = MESSAGE_NO_POOLS;
		r = seal_with(message, detail, key, ret_datagram, err);
	}
	if (r < 0)
		return r;
	*ret_detail = detail;
	return 0;
}
