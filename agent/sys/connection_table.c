/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/connection_table.h"

#include <assert.h>
#include <malloc.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "sys/log_limit.h"

enum {
	REPORT_MAX = 1024,
	/* So many connections gone are a burst, whose memory (about 80 kB each) is given back. */
	BURST_CONNECTIONS = 8,
	TRIM_DELAY_MS = 1000,
	UNBOUNDED = -1,
};
static const int64_t never = INT64_MAX;

enum phase {
	PHASE_HANDSHAKE,
	PHASE_IDLE,
	PHASE_RECEIVING,
	PHASE_HANDLING,
	PHASE_REPLYING,
	PHASE_ENDING, /* shut down; its thread is about to notice */
};

struct connection {
	struct connection_table *table;
	struct connection *older, *newer;
	enum phase phase;
	int timeout_ms;      /* how long the phase may take, or UNBOUNDED */
	int64_t deadline_ms; /* when it must be over */
	int64_t idle_since_ms;
	bool authenticated;
	bool heard; /* has sent anything at all */
	int fd;
	char *peer;
};

struct connection_table {
	pthread_mutex_t lock; /* guards all that follows, and every connection */
	pthread_cond_t changed;
	pthread_t watcher;
	bool stopping;
	bool draining;
	int drain_grace_ms;
	int64_t wake_ms; /* until when the watcher sleeps */
	struct connection_limits limits;
	struct connection *oldest, *newest;
	unsigned count, peak; /* now; most since memory was given back */
	int64_t trim_ms;
	struct log_limit events[CONNECTION_EVENT_COUNT];
};

static const char *const event_names[CONNECTION_EVENT_COUNT] = {
	[CONNECTION_HANDSHAKE_FAILED] = "failed TLS handshakes",
	[CONNECTION_CERTIFICATE_REFUSED] = "refused client certificates",
	[CONNECTION_REQUEST_REFUSED] = "refused requests",
	[CONNECTION_TIMED_OUT] = "time-outs",
	[CONNECTION_ONE_TOO_MANY] = "connections over the limit",
	[CONNECTION_NOT_SERVED] = "connections that could not be served",
};

/* Static functions are called with the lock held, but for the watcher's main loop. */

static void report_arguments(struct connection_table *table, enum connection_event event,
	const char *peer, const char *format, va_list arguments)
{
	char text[REPORT_MAX];

	if (!log_limit_admit(&table->events[event], clock_now_ms()))
		return;
	vsnprintf(text, sizeof(text), format, arguments);
	log_info("%s: %s", peer, text);
}

static void __attribute__((format(printf, 3, 4)))
report(const struct connection *connection, enum connection_event event, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	report_arguments(connection->table, event, connection->peer, format, arguments);
	va_end(arguments);
}

/* What was shut down stays so, whatever its thread is still about. */
static void set_phase(struct connection *connection, enum phase phase, int timeout_ms)
{
	struct connection_table *table = connection->table;

	if (connection->phase == PHASE_ENDING)
		return;
	connection->phase = phase;
	connection->timeout_ms = timeout_ms;
	connection->deadline_ms = timeout_ms == UNBOUNDED ? never : clock_now_ms() + timeout_ms;
	if (connection->deadline_ms < table->wake_ms || table->draining)
		pthread_cond_broadcast(&table->changed);
}

/* A phase in which the peer has to do something. */
static void set_peers_phase(struct connection *connection, enum phase phase)
{
	const struct connection_table *table = connection->table;
	int timeout_ms = table->limits.request_timeout_ms;

	if (table->draining && table->drain_grace_ms < timeout_ms)
		timeout_ms = table->drain_grace_ms;
	set_phase(connection, phase, timeout_ms);
}

/* The fd cannot be somebody else's yet: it stays open until connection_remove(). */
static void end(struct connection *connection)
{
	set_phase(connection, PHASE_ENDING, UNBOUNDED);
	shutdown(connection->fd, SHUT_RDWR);
}

static bool is_busy(const struct connection *connection)
{
	return connection->phase == PHASE_RECEIVING || connection->phase == PHASE_HANDLING ||
	       connection->phase == PHASE_REPLYING;
}

static void time_out(struct connection *connection)
{
	const char *what = connection->phase == PHASE_HANDSHAKE   ? "TLS handshake not finished"
			   : connection->phase == PHASE_RECEIVING ? "request not received whole"
								  : "reply not taken";

	report(connection, CONNECTION_TIMED_OUT, "%s within %g s; closed", what,
		connection->timeout_ms / 1000.0);
	end(connection);
}

/* Ends what is overdue; when the next deadline is. */
static int64_t end_overdue(struct connection_table *table, int64_t now_ms)
{
	int64_t next_ms = never;

	for (struct connection *c = table->oldest; c; c = c->newer) {
		if (c->deadline_ms <= now_ms)
			time_out(c);
		if (c->deadline_ms < next_ms)
			next_ms = c->deadline_ms;
	}
	return next_ms;
}

/* Tells what the log did not show of a minute that is over; when the next one will be. */
static int64_t tell_suppressed(struct connection_table *table, int64_t now_ms)
{
	int64_t next_ms = never;

	for (size_t i = 0; i < CONNECTION_EVENT_COUNT; i++) {
		struct log_limit *limit = &table->events[i];
		unsigned suppressed = log_limit_take_suppressed(limit, now_ms);

		if (suppressed)
			log_info("%u more %s within a minute, not logged one by one", suppressed,
				event_names[i]);
		if (log_limit_due_ms(limit) < next_ms)
			next_ms = log_limit_due_ms(limit);
	}
	return next_ms;
}

/* malloc keeps what connections had; when there will be a burst's to give back. */
static int64_t trim_memory(struct connection_table *table)
{
	if (clock_now_ms() < table->trim_ms)
		return table->trim_ms;
	table->trim_ms = never;
	table->peak = table->count;
	pthread_mutex_unlock(&table->lock);
	malloc_trim(0);
	pthread_mutex_lock(&table->lock);
	return table->trim_ms;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void wait_until(struct connection_table *table, int64_t deadline_ms)
{
	const struct timespec deadline = {
		.tv_sec = deadline_ms / 1000,
		.tv_nsec = (deadline_ms % 1000) * 1000000,
	};

	if (deadline_ms == never)
		pthread_cond_wait(&table->changed, &table->lock);
	else
		pthread_cond_timedwait(&table->changed, &table->lock, &deadline);
}

static void *watch(void *context)
{
	struct connection_table *table = context;

	pthread_mutex_lock(&table->lock);
	while (!table->stopping) {
		int64_t trim_ms = trim_memory(table); /* first: it lets go of the lock */
		int64_t now_ms = clock_now_ms();

		table->wake_ms = earlier(trim_ms,
			earlier(end_overdue(table, now_ms), tell_suppressed(table, now_ms)));
		wait_until(table, table->wake_ms);
	}
	pthread_mutex_unlock(&table->lock);
	return NULL;
}

static void table_destroy(struct connection_table *table)
{
	pthread_cond_destroy(&table->changed);
	pthread_mutex_destroy(&table->lock);
	free(table);
}

int connection_table_new(const struct connection_limits *limits,
	struct connection_table **ret_table, struct err *err)
{
	struct connection_table *table = xcalloc(1, sizeof(*table));
	pthread_condattr_t attributes;
	int r;

	table->limits = *limits;
	table->trim_ms = never;
	pthread_mutex_init(&table->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC); /* that of clock_now_ms() */
	pthread_cond_init(&table->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	r = pthread_create(&table->watcher, NULL, watch, table);
	if (r != 0) {
		table_destroy(table);
		return err_set_errno(err, -r, "starting the thread that watches connections");
	}
	*ret_table = table;
	return 0;
}

void connection_table_free(struct connection_table *table)
{
	if (!table)
		return;
	pthread_mutex_lock(&table->lock);
	assert(!table->oldest);
	table->stopping = true;
	pthread_cond_broadcast(&table->changed);
	pthread_mutex_unlock(&table->lock);
	pthread_join(table->watcher, NULL);
	table_destroy(table);
}

void connection_table_set_request_timeout(struct connection_table *table, int request_timeout_ms)
{
	pthread_mutex_lock(&table->lock);
	table->limits.request_timeout_ms = request_timeout_ms;
	pthread_mutex_unlock(&table->lock);
}

static bool any_is_busy(const struct connection_table *table)
{
	for (const struct connection *c = table->oldest; c; c = c->newer)
		if (is_busy(c))
			return true;
	return false;
}

void connection_table_drain(struct connection_table *table, int grace_ms)
{
	pthread_mutex_lock(&table->lock);
	table->draining = true;
	table->drain_grace_ms = grace_ms;
	for (struct connection *c = table->oldest; c; c = c->newer) {
		if (!is_busy(c))
			end(c);
		else if (c->phase != PHASE_HANDLING)
			set_peers_phase(c, c->phase);
	}
	while (any_is_busy(table))
		pthread_cond_wait(&table->changed, &table->lock);
	pthread_mutex_unlock(&table->lock);
}

bool connection_table_is_draining(struct connection_table *table)
{
	bool draining;

	pthread_mutex_lock(&table->lock);
	draining = table->draining;
	pthread_mutex_unlock(&table->lock);
	return draining;
}

/* What its thread has not read yet counts as heard, too. */
static bool is_silent(const struct connection *connection)
{
	char byte;

	return !connection->heard &&
	       recv(connection->fd, &byte, sizeof(byte), MSG_PEEK | MSG_DONTWAIT) <= 0;
}

/* Whom a new handshake pushes out: silent ones first, then by age. NULL: there is room. */
static struct connection *handshake_to_end(const struct connection_table *table)
{
	struct connection *oldest = NULL;
	unsigned count = 0;

	for (struct connection *c = table->newest; c; c = c->older) {
		if (c->phase != PHASE_HANDSHAKE)
			continue;
		count++;
		oldest = c;
	}
	if (count < table->limits.handshakes_max)
		return NULL;
	for (struct connection *c = oldest; c; c = c->newer)
		if (c->phase == PHASE_HANDSHAKE && is_silent(c))
			return c;
	return oldest;
}

struct connection *connection_add(struct connection_table *table, int fd, const char *peer)
{
	struct connection *connection = xcalloc(1, sizeof(*connection));
	struct connection *pushed_out;

	connection->table = table;
	connection->fd = fd;
	connection->peer = xstrdup(peer);
	pthread_mutex_lock(&table->lock);
	pushed_out = handshake_to_end(table);
	if (pushed_out) {
		report(pushed_out, CONNECTION_ONE_TOO_MANY,
			"pushed out by a newer connection: %u TLS handshakes were unfinished",
			table->limits.handshakes_max);
		end(pushed_out);
	}
	connection->older = table->newest;
	*(table->newest ? &table->newest->newer : &table->oldest) = connection;
	table->newest = connection;
	if (++table->count > table->peak)
		table->peak = table->count;
	set_phase(connection, PHASE_HANDSHAKE, table->limits.handshake_timeout_ms);
	if (table->draining)
		end(connection);
	pthread_mutex_unlock(&table->lock);
	return connection;
}

void connection_remove(struct connection *connection)
{
	struct connection_table *table = connection->table;

	pthread_mutex_lock(&table->lock);
	*(connection->older ? &connection->older->newer : &table->oldest) = connection->newer;
	*(connection->newer ? &connection->newer->older : &table->newest) = connection->older;
	table->count--;
	if (table->trim_ms == never && table->peak - table->count >= BURST_CONNECTIONS)
		table->trim_ms = clock_now_ms() + TRIM_DELAY_MS;
	if (table->draining || table->trim_ms < table->wake_ms)
		pthread_cond_broadcast(&table->changed);
	pthread_mutex_unlock(&table->lock);
	free(connection->peer);
	free(connection);
}

void connection_heard(struct connection *connection)
{
	pthread_mutex_lock(&connection->table->lock);
	connection->heard = true;
	if (connection->phase == PHASE_IDLE)
		set_peers_phase(connection, PHASE_RECEIVING);
	pthread_mutex_unlock(&connection->table->lock);
}

static unsigned authenticated_count(const struct connection_table *table)
{
	unsigned count = 0;

	for (const struct connection *c = table->oldest; c; c = c->newer)
		if (c->authenticated && c->phase != PHASE_ENDING)
			count++;
	return count;
}

static struct connection *longest_idle(const struct connection_table *table)
{
	struct connection *longest = NULL;

	for (struct connection *c = table->oldest; c; c = c->newer)
		if (c->phase == PHASE_IDLE &&
			(!longest || c->idle_since_ms < longest->idle_since_ms))
			longest = c;
	return longest;
}

/* Makes room for one more; false: all others are busy. */
static bool make_room(struct connection *newcomer)
{
	struct connection_table *table = newcomer->table;
	struct connection *idle;

	if (authenticated_count(table) < table->limits.authenticated_max)
		return true;
	idle = longest_idle(table);
	report(idle ? idle : newcomer, CONNECTION_ONE_TOO_MANY,
		idle ? "closed for a newer connection: it was the longest idle of %u"
		     : "closed: %u connections are busy",
		table->limits.authenticated_max);
	end(idle ? idle : newcomer);
	return idle;
}

bool connection_authenticated(struct connection *connection)
{
	bool admitted;

	pthread_mutex_lock(&connection->table->lock);
	admitted = connection->phase == PHASE_HANDSHAKE && make_room(connection);
	if (admitted) {
		connection->authenticated = true;
		connection->idle_since_ms = clock_now_ms();
		set_phase(connection, PHASE_IDLE, UNBOUNDED);
	}
	pthread_mutex_unlock(&connection->table->lock);
	return admitted;
}

bool connection_is_in_handshake(struct connection *connection)
{
	bool in_handshake;

	pthread_mutex_lock(&connection->table->lock);
	in_handshake = connection->phase == PHASE_HANDSHAKE;
	pthread_mutex_unlock(&connection->table->lock);
	return in_handshake;
}

void connection_handles(struct connection *connection)
{
	pthread_mutex_lock(&connection->table->lock);
	set_phase(connection, PHASE_HANDLING, UNBOUNDED);
	pthread_mutex_unlock(&connection->table->lock);
}

void connection_replies(struct connection *connection)
{
	pthread_mutex_lock(&connection->table->lock);
	set_peers_phase(connection, PHASE_REPLYING);
	pthread_mutex_unlock(&connection->table->lock);
}

void connection_rests(struct connection *connection)
{
	pthread_mutex_lock(&connection->table->lock);
	connection->idle_since_ms = clock_now_ms();
	set_phase(connection, PHASE_IDLE, UNBOUNDED);
	if (connection->table->draining)
		end(connection);
	pthread_mutex_unlock(&connection->table->lock);
}

void connection_table_report(struct connection_table *table, enum connection_event event,
	const char *peer, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	pthread_mutex_lock(&table->lock);
	report_arguments(table, event, peer, format, arguments);
	pthread_mutex_unlock(&table->lock);
	va_end(arguments);
}
