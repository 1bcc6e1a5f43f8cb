/* SPDX-License-Identifier: Apache-2.0 */
#include "haproxy/master.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "sys/stats_socket.h"

enum {
	/* One question to a master or worker that is well. */
	QUERY_TIMEOUT_MS = 2000,
	PROCESSES_MAX_BYTES = 256 * KIB,
	POLL_FIRST_MS = 2,
	POLL_LAST_MS = 50,
	/* For an old worker to look at its signal. */
	HANDOVER_TIMEOUT_MS = 2000,
	INFO_MAX_BYTES = 64 * KIB,
};

/* Cuts the next word off *rest; "" when there is none. */
static char *word_next(char **rest)
{
	char *word = *rest + strspn(*rest, " \t");
	char *end = word + strcspn(word, " \t");

	*rest = *end ? end + 1 : end;
	*end = '\0';
	return word;
}

static int number_next(char **rest, unsigned *ret_number)
{
	uint64_t number;
	int r = text_parse_u64(word_next(rest), 0, INT_MAX, &number);

	if (r == 0)
		*ret_number = (unsigned)number;
	return r;
}

/* "1234   master   3 [failed: 1]   0d00h00m01s   2.6.12" */
static int master_row_parse(char *rest, struct haproxy_processes *processes)
{
	static const char marker[] = "[failed: ";
	char *failed = strstr(rest, marker);
	char *failed_end = failed ? strchr(failed, ']') : NULL;

	if (!failed_end)
		return -EBADMSG;
	failed += strlen(marker);
	*failed_end = '\0';
	if (number_next(&rest, &processes->reloads) < 0 ||
		number_next(&failed, &processes->failed) < 0)
		return -EBADMSG;
	return 0;
}

/* Of several the one that survived the fewest reloads is the newest. */
static void worker_consider(struct haproxy_processes *processes, pid_t pid, unsigned reloads)
{
	if (processes->worker && processes->worker_reloads <= reloads)
		return;
	processes->worker = pid;
	processes->worker_reloads = reloads;
}

struct processes_parse {
	struct haproxy_processes processes;
	struct haproxy_processes old; /* only its worker counts */
	bool among_old;
};

static int row_parse(struct processes_parse *parse, char *row)
{
	unsigned reloads;
	unsigned pid;
	char *type;

	if (number_next(&row, &pid) < 0)
		return -EBADMSG;
	type = word_next(&row);
	if (text_equal(type, "master")) {
		parse->processes.master = (pid_t)pid;
		return master_row_parse(row, &parse->processes);
	}
	if (!text_equal(type, "worker"))
		return 0; /* a `program` section's */
	if (number_next(&row, &reloads) < 0)
		return -EBADMSG;
	if (parse->among_old) {
		parse->processes.old_workers++;
		worker_consider(&parse->old, (pid_t)pid, reloads);
	} else {
		worker_consider(&parse->processes, (pid_t)pid, reloads);
	}
	return 0;
}

int haproxy_processes_parse(
	const char *text, struct haproxy_processes *ret_processes, struct err *err)
{
	cleanup_free char *copy = xstrdup(text);
	struct processes_parse parse = {0};
	char *rest = copy;
	char *row;

	while ((row = strsep(&rest, "\n"))) {
		if (row[0] == '#') {
			if (text_starts_with(row, "# "))
				parse.among_old = text_starts_with(row, "# old workers");
			continue;
		}
		if (row[strspn(row, " \t\r")] && row_parse(&parse, row) < 0)
			return err_set(err, -EBADMSG,
				"HAProxy's master answered 'show proc' with a line that is not "
				"understood: %.80s",
				row);
	}
	if (!parse.processes.master)
		return err_set(err, -EBADMSG, "HAProxy's answer to 'show proc' names no master");
	/*
	 * After a reload that failed, 3.1 and later list the worker that goes on serving among the
	 * old ones.
	 */
	if (!parse.processes.worker && parse.processes.failed > 0 && parse.old.worker) {
		parse.processes.worker = parse.old.worker;
		parse.processes.worker_reloads = parse.old.worker_reloads;
		parse.processes.old_workers--;
	}
	*ret_processes = parse.processes;
	return 0;
}

void haproxy_workers_parse(const char *text, pid_t **ret_workers, size_t *ret_count)
{
	cleanup_free char *copy = xstrdup(text);
	cleanup_free pid_t *workers = NULL;
	size_t count = 0;
	char *rest = copy;
	char *row;

	while ((row = strsep(&rest, "\n"))) {
		unsigned pid = 0;

		if (number_next(&row, &pid) < 0 || !text_equal(word_next(&row), "worker"))
			continue;
		workers = xrealloc_array(workers, count + 1, sizeof(*workers));
		workers[count++] = (pid_t)pid;
	}
	*ret_workers = take_ptr(workers);
	*ret_count = count;
}

int haproxy_master_workers(
	const char *master_socket, pid_t **ret_workers, size_t *ret_count, struct err *err)
{
	cleanup_buf struct buf answer = BUF_INIT(PROCESSES_MAX_BYTES);
	int r = stats_socket_query(master_socket, "show proc", QUERY_TIMEOUT_MS, &answer, err);

	if (r == 0)
		haproxy_workers_parse(buf_text(&answer), ret_workers, ret_count);
	return r;
}

int haproxy_master_processes(
	const char *master_socket, struct haproxy_processes *ret_processes, struct err *err)
{
	cleanup_buf struct buf answer = BUF_INIT(PROCESSES_MAX_BYTES);
	int r = stats_socket_query(master_socket, "show proc", QUERY_TIMEOUT_MS, &answer, err);

	if (r < 0)
		return r;
	return haproxy_processes_parse(buf_text(&answer), ret_processes, err);
}

int haproxy_master_command(const char *master_socket, pid_t worker, const char *command,
	struct buf *ret_answer, struct err *err)
{
	/* "Can't find the target PID …", or, of one that is only starting: "Can't connect …". */
	static const char no_such_worker[] = "Can't ";
	cleanup_free char *addressed = xformat("@!%d %s", (int)worker, command);
	size_t before = ret_answer->size_bytes;
	int r = stats_socket_query(master_socket, addressed, QUERY_TIMEOUT_MS, ret_answer, err);

	if (r < 0)
		return r;
	if (text_starts_with(buf_text(ret_answer) + before, no_such_worker))
		return err_set(err, -ESRCH, "HAProxy's worker %d does not answer", (int)worker);
	return 0;
}

/* A worker is listed before it serves; when it answers a question it has taken over. */
static bool worker_answers(const char *master_socket, pid_t worker)
{
	cleanup_buf struct buf answer = BUF_INIT(4 * KIB);

	return haproxy_master_command(master_socket, worker, "show version", &answer, NULL) == 0 &&
	       answer.size_bytes > 0;
}

/* Sleeps a little longer each time; false when deadline_ms has come. */
static bool poll_pause(int64_t deadline_ms, int *pause_ms)
{
	int left_ms = clock_left_ms(deadline_ms);

	if (left_ms == 0)
		return false;
	clock_sleep_ms(*pause_ms < left_ms ? *pause_ms : left_ms);
	*pause_ms = *pause_ms * 2 < POLL_LAST_MS ? *pause_ms * 2 : POLL_LAST_MS;
	return true;
}

int haproxy_master_wait(
	const char *master_socket, int timeout_ms, pid_t *ret_worker, struct err *err)
{
	int64_t deadline_ms = clock_now_ms() + timeout_ms;
	struct haproxy_processes processes;
	int pause_ms = POLL_FIRST_MS;

	do {
		if (haproxy_master_processes(master_socket, &processes, NULL) == 0 &&
			processes.worker && worker_answers(master_socket, processes.worker)) {
			*ret_worker = processes.worker;
			return 0;
		}
	} while (poll_pause(deadline_ms, &pause_ms));
	return err_set(err, -ETIMEDOUT, "HAProxy did not answer on %s within %d ms", master_socket,
		timeout_ms);
}

/*
 * Waits until the master counts a reload more than before (while it executes itself anew nobody
 * answers, or somebody without a word) and knows how that one ended.
 */
static int reload_wait(const char *master_socket, const struct haproxy_processes *before,
	int64_t deadline_ms, pid_t *ret_worker, struct err *err)
{
	struct haproxy_processes now;
	int pause_ms = POLL_FIRST_MS;

	do {
		if (kill(before->master, 0) < 0 && errno == ESRCH)
			return err_set(
				err, -ESRCH, "reloading: HAProxy's master process ended meanwhile");
		if (haproxy_master_processes(master_socket, &now, NULL) < 0 ||
			now.reloads == before->reloads)
			continue;
		if (now.failed > 0)
			return err_set(err, -EBADMSG,
				"reloading: HAProxy could not start a new worker; the old one "
				"goes on");
		if (now.worker && now.worker != before->worker &&
			worker_answers(master_socket, now.worker)) {
			*ret_worker = now.worker;
			return 0;
		}
	} while (poll_pause(deadline_ms, &pause_ms));
	return err_set(err, -ETIMEDOUT, "reloading: HAProxy has no new worker yet");
}

/* Whether it has not looked at its signal yet. One that gives no answer accepts nothing either. */
static bool worker_accepts(const char *master_socket, pid_t worker)
{
	cleanup_buf struct buf answer = BUF_INIT(INFO_MAX_BYTES);

	return haproxy_master_command(master_socket, worker, "show info", &answer, NULL) == 0 &&
	       strstr(buf_text(&answer), "\nStopping: 0\n");
}

/*
 * An old worker accepts connections, on listeners that both have and on such as are gone, until it
 * looks at the signal that it was sent. One that never does is no reason to call the reload failed.
 */
static void handover_wait(const char *master_socket, pid_t old_worker)
{
	int64_t deadline_ms = clock_now_ms() + HANDOVER_TIMEOUT_MS;
	int pause_ms = POLL_FIRST_MS;

	while (worker_accepts(master_socket, old_worker))
		if (!poll_pause(deadline_ms, &pause_ms)) {
			log_warning("%s: HAProxy's worker %d still accepts connections by the "
				    "config of before the reload",
				master_socket, (int)old_worker);
			return;
		}
}

/* "Success=0\n--\n<what HAProxy wrote while loading>": 2.7 and later, where compiled in. */
static void reload_words(const char *answer, struct buf *ret_output)
{
	static const char separator[] = "--\n";
	const char *words = strstr(answer, separator);
	size_t room = ret_output->max_bytes - ret_output->size_bytes;

	if (words) {
		words += strlen(separator);
		buf_append(ret_output, words, strnlen(words, room));
	}
}

int haproxy_master_reload(const char *master_socket, int timeout_ms, pid_t *ret_worker,
	struct buf *ret_output, struct err *err)
{
	cleanup_buf struct buf answer = BUF_INIT(PROCESSES_MAX_BYTES);
	int64_t deadline_ms = clock_now_ms() + timeout_ms;
	struct haproxy_processes before;
	int r = haproxy_master_processes(master_socket, &before, err);

	if (r < 0)
		return r;
	/* Whatever comes of the connection, `show proc` knows what came of the reload. */
	stats_socket_query(master_socket, "reload", timeout_ms, &answer, NULL);
	r = reload_wait(master_socket, &before, deadline_ms, ret_worker, err);
	if (r == 0 && before.worker)
		handover_wait(master_socket, before.worker);
	if (r == -EBADMSG)
		reload_words(buf_text(&answer), ret_output);
	return r;
}
