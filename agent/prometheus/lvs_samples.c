/* SPDX-License-Identifier: Apache-2.0 */
#include "prometheus/lvs_samples.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

enum object { OBJECT_LISTENER, OBJECT_POOL, OBJECT_MEMBER };

/* What a sample is of: a listener, its pool, or a member of that. */
struct item {
	const struct lvs_observed *listener;
	const struct lvs_member_status *member; /* NULL: none */
};

/* One of value and state is there. */
struct lvs_family {
	const char *name;
	const char *type;
	const char *help;
	enum object object;
	uint64_t (*value)(const struct item *item);
	const char *(*state)(const struct item *item);
};

/* In HAProxy's order. */
static const char *const states[] = {"DOWN", "UP"};
static const char *const member_states[] = {"DOWN", "UP", "MAINT", "DRAIN", "NOLB"};

static uint64_t bytes_in(const struct item *item)
{
	return item->listener->total.bytes_in;
}

static uint64_t bytes_out(const struct item *item)
{
	return item->listener->total.bytes_out;
}

static uint64_t sessions(const struct item *item)
{
	return item->listener->total.sessions_total;
}

static uint64_t current_sessions(const struct item *item)
{
	return item->listener->status->connections_active;
}

static uint64_t active_members(const struct item *item)
{
	const struct lvs_status *status = item->listener->status;
	uint64_t count = 0;

	for (size_t i = 0; i < status->member_count; i++)
		count += status->members[i].weight > 0;
	return count;
}

static uint64_t member_bytes_in(const struct item *item)
{
	return item->member->counters.bytes_in;
}

static uint64_t member_bytes_out(const struct item *item)
{
	return item->member->counters.bytes_out;
}

static uint64_t member_sessions(const struct item *item)
{
	return item->member->counters.connections;
}

static uint64_t member_current_sessions(const struct item *item)
{
	return item->member->connections_active;
}

static uint64_t member_weight(const struct item *item)
{
	return item->member->weight;
}

/* There is one because its keepalived lives. */
static const char *listener_state(const struct item *item)
{
	(void)item;
	return "UP";
}

static const char *pool_state(const struct item *item)
{
	return item->listener->status->pool_status;
}

static const char *member_state(const struct item *item)
{
	if (text_equal(item->member->status, "no check") && item->member->is_in_kernel)
		return "UP";
	return item->member->status;
}

static const struct lvs_family families[] = {
	{"octavia_listener_current_sessions", "gauge", "Current number of active sessions.",
		OBJECT_LISTENER, current_sessions, NULL},
	{"octavia_listener_sessions_total", "counter", "Total number of sessions.", OBJECT_LISTENER,
		sessions, NULL},
	{"octavia_listener_connections_total", "counter", "Total number of connections.",
		OBJECT_LISTENER, sessions, NULL},
	{"octavia_listener_bytes_in_total", "counter", "Current total of incoming bytes.",
		OBJECT_LISTENER, bytes_in, NULL},
	{"octavia_listener_bytes_out_total", "counter", "Current total of outgoing bytes.",
		OBJECT_LISTENER, bytes_out, NULL},
	{"octavia_listener_status", "gauge", "Current status of the listener.", OBJECT_LISTENER,
		NULL, listener_state},
	{"octavia_pool_current_sessions", "gauge", "Current number of active sessions.",
		OBJECT_POOL, current_sessions, NULL},
	{"octavia_pool_sessions_total", "counter", "Total number of sessions.", OBJECT_POOL,
		sessions, NULL},
	{"octavia_pool_bytes_in_total", "counter", "Current total of incoming bytes.", OBJECT_POOL,
		bytes_in, NULL},
	{"octavia_pool_bytes_out_total", "counter", "Current total of outgoing bytes.", OBJECT_POOL,
		bytes_out, NULL},
	{"octavia_pool_active_members", "gauge", "Current number of active members.", OBJECT_POOL,
		active_members, NULL},
	{"octavia_pool_status", "gauge", "Current status of the pool.", OBJECT_POOL, NULL,
		pool_state},
	{"octavia_member_current_sessions", "gauge", "Current number of active sessions.",
		OBJECT_MEMBER, member_current_sessions, NULL},
	{"octavia_member_sessions_total", "counter", "Total number of sessions.", OBJECT_MEMBER,
		member_sessions, NULL},
	{"octavia_member_bytes_in_total", "counter", "Current total of incoming bytes.",
		OBJECT_MEMBER, member_bytes_in, NULL},
	{"octavia_member_bytes_out_total", "counter", "Current total of outgoing bytes.",
		OBJECT_MEMBER, member_bytes_out, NULL},
	{"octavia_member_weight", "gauge", "Member weight.", OBJECT_MEMBER, member_weight, NULL},
	{"octavia_member_status", "gauge", "Current status of the member.", OBJECT_MEMBER, NULL,
		member_state},
};

static bool has_sample(const struct lvs_family *family, const struct item *item)
{
	if (family->object == OBJECT_POOL && !item->listener->status->has_pool)
		return false;
	if (family->state)
		return true;
	return item->member ? item->member->is_in_kernel : item->listener->status->is_read;
}

/* The name and the labels, without the brace that closes them: ids need no escapes. */
static void begin_append(
	const struct lvs_family *family, const struct item *item, struct buf *ret_text)
{
	const struct lvs_status *status = item->listener->status;

	switch (family->object) {
	case OBJECT_LISTENER:
		buf_append_format(
			ret_text, "%s{listener=\"%s\"", family->name, status->listener.text);
		break;
	case OBJECT_POOL:
		buf_append_format(ret_text, "%s{pool=\"%s:%s\"", family->name, status->pool.text,
			status->listener.text);
		break;
	case OBJECT_MEMBER:
		buf_append_format(ret_text, "%s{pool=\"%s:%s\",member=\"%s\"", family->name,
			status->pool.text, status->listener.text, item->member->id.text);
		break;
	}
}

/* One line for each state there is. */
static void states_append(
	const struct lvs_family *family, const struct item *item, struct buf *ret_text)
{
	bool is_member = family->object == OBJECT_MEMBER;
	const char *const *names = is_member ? member_states : states;
	size_t count = is_member ? COUNT_OF(member_states) : COUNT_OF(states);
	const char *state = family->state(item);

	for (size_t i = 0; i < count; i++) {
		begin_append(family, item, ret_text);
		buf_append_format(
			ret_text, ",state=\"%s\"} %d\n", names[i], text_equal(names[i], state));
	}
}

static void sample_append(
	struct lvs_samples *samples, const struct item *item, struct buf *ret_text)
{
	const struct lvs_family *family = samples->family;

	if (!has_sample(family, item))
		return;
	if (samples->needs_head)
		buf_append_format(ret_text, "# HELP %s %s\n# TYPE %s %s\n", family->name,
			family->help, family->name, family->type);
	samples->needs_head = false;
	if (family->state) {
		states_append(family, item, ret_text);
		return;
	}
	begin_append(family, item, ret_text);
	buf_append_format(ret_text, "} %" PRIu64 "\n", family->value(item));
}

/* Appends the sample of what was not reached yet. False: the text is full. */
static bool item_take(struct lvs_samples *samples, const struct item *item, struct buf *ret_text)
{
	static const struct id none = {.text = ""};
	const struct id *listener = &item->listener->status->listener;
	const struct id *member = item->member ? &item->member->id : &none;
	int order = strcmp(listener->text, samples->listener.text);

	if (order == 0)
		order = strcmp(member->text, samples->member.text);
	if (order <= 0)
		return true;
	if (ret_text->size_bytes >= LVS_SAMPLES_PIECE_BYTES)
		return false;
	sample_append(samples, item, ret_text);
	samples->listener = *listener;
	samples->member = *member;
	return true;
}

static bool members_take(
	struct lvs_samples *samples, const struct lvs_observed *listener, struct buf *ret_text)
{
	const struct lvs_status *status = listener->status;

	for (size_t i = 0; i < status->member_count; i++)
		if (!item_take(samples, &(struct item){listener, &status->members[i]}, ret_text))
			return false;
	return true;
}

static void family_begin(struct lvs_samples *samples, size_t index, bool needs_head)
{
	samples->written |= UINT64_C(1) << index;
	samples->family = &families[index];
	samples->needs_head = needs_head;
	samples->listener.text[0] = '\0';
	samples->member.text[0] = '\0';
}

static bool is_begun(const struct lvs_samples *samples, size_t index)
{
	return samples->written >> index & 1;
}

void lvs_samples_begin(struct lvs_samples *samples, const char *name)
{
	for (size_t i = 0; i < COUNT_OF(families); i++)
		if (text_equal(families[i].name, name) && !is_begun(samples, i))
			family_begin(samples, i, false);
}

bool lvs_samples_begin_missing(struct lvs_samples *samples)
{
	for (size_t i = 0; i < COUNT_OF(families); i++)
		if (!is_begun(samples, i)) {
			family_begin(samples, i, true);
			return true;
		}
	return false;
}

bool lvs_samples_append(struct lvs_samples *samples, const struct lvs_observation *observation,
	struct buf *ret_text)
{
	bool is_over = true;

	if (!samples->family)
		return true;
	for (size_t i = 0; is_over && i < observation->listener_count; i++) {
		const struct lvs_observed *listener = &observation->listeners[i];

		is_over = samples->family->object == OBJECT_MEMBER
				  ? members_take(samples, listener, ret_text)
				  : item_take(samples, &(struct item){listener, NULL}, ret_text);
	}
	if (is_over)
		samples->family = NULL;
	return is_over;
}
