/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/service_record.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "sys/process.h"
#include "sys/procfs.h"
#include "sys/session.h"

enum { RECORD_MAX_BYTES = 64 * KIB, WORD_COUNT = 6, BIRTH_MS = 1000, BIRTH_STEP_MS = 5 };

static const char *const state_words[] = {
	[SERVICE_RECORD_STARTING] = "starting",
	[SERVICE_RECORD_RUNNING] = "running",
};

struct word {
	const char *data;
	size_t size_bytes;
};

/*
 * Within what a pid and its start time name one process: the boot, and the pid namespace (a
 * container that is started again has a new one), which is told by when its process 1 started.
 */
static int pid_space_read(struct buf *ret_text, struct err *err)
{
	struct procfs_boot_id boot_id;
	uint64_t init_ticks;
	int r;

	r = procfs_read_boot_id(&boot_id, err);
	if (r < 0)
		return r;
	r = procfs_process_start_time(1, &init_ticks);
	if (r < 0)
		return err_set_errno(err, r, "asking when process 1 started");
	buf_append_format(ret_text, "%s:%llu", boot_id.text, (unsigned long long)init_ticks);
	return 0;
}

void service_record_set_command(struct service_record *record, const char *const *argv)
{
	cleanup_buf struct buf command = BUF_INIT(RECORD_MAX_BYTES);

	for (size_t i = 0; argv[i]; i++)
		buf_append(&command, argv[i], strlen(argv[i]) + 1);
	free(record->command);
	record->command_size_bytes = command.size_bytes;
	record->command = buf_take_text(&command);
}

void service_record_deinit(struct service_record *record)
{
	free(record->command);
	record->command = NULL;
	record->command_size_bytes = 0;
}

int service_record_store(
	const char *folder, const char *name, const struct service_record *record, struct err *err)
{
	cleanup_free char *path = xformat("%s/%s", folder, name);
	cleanup_buf struct buf text = BUF_INIT(2 * RECORD_MAX_BYTES);
	int r;

	buf_append_format(&text, "%s %d %llu %d %d ", state_words[record->state], record->pid,
		(unsigned long long)record->start_ticks, record->stop_signal,
		record->stop_timeout_ms);
	r = pid_space_read(&text, err);
	if (r < 0)
		return err_wrap(err, r, "writing %s", path);
	buf_append_char(&text, '\n');
	buf_append(&text, record->command, record->command_size_bytes);
	return file_replace_nosync(path, buf_text(&text), text.size_bytes, 0644, err);
}

/* Cuts the line into exactly WORD_COUNT words between single spaces. */
static bool line_split(const char *line, size_t size_bytes, struct word ret_words[WORD_COUNT])
{
	for (size_t i = 0; i < WORD_COUNT; i++) {
		const char *space = memchr(line, ' ', size_bytes);
		size_t word_size = space ? (size_t)(space - line) : size_bytes;

		if (!space != (i == WORD_COUNT - 1))
			return false;
		ret_words[i] = (struct word){line, word_size};
		line += word_size + (space ? 1 : 0);
		size_bytes -= word_size + (space ? 1 : 0);
	}
	return true;
}

static bool word_equal(const struct word *word, const char *text)
{
	return word->size_bytes == strlen(text) && memcmp(word->data, text, word->size_bytes) == 0;
}

static bool word_parse_int(const struct word *word, int *ret_value)
{
	uint64_t value;

	if (text_parse_u64_span(word->data, word->size_bytes, 0, INT_MAX, &value) < 0)
		return false;
	*ret_value = (int)value;
	return true;
}

static bool word_parse_state(const struct word *word, enum service_record_state *ret_state)
{
	for (size_t i = 0; i < sizeof(state_words) / sizeof(state_words[0]); i++)
		if (word_equal(word, state_words[i])) {
			*ret_state = (enum service_record_state)i;
			return true;
		}
	return false;
}

static int record_parse(const char *text, size_t size_bytes, const char *pid_space,
	struct service_record *ret_record)
{
	const char *end = memchr(text, '\n', size_bytes);
	struct service_record record = {.command = NULL};
	struct word words[WORD_COUNT];

	if (!end || !line_split(text, (size_t)(end - text), words))
		return -EBADMSG;
	if (!word_parse_state(&words[0], &record.state) || !word_parse_int(&words[1], &record.pid))
		return -EBADMSG;
	if (text_parse_u64_span(
		    words[2].data, words[2].size_bytes, 0, UINT64_MAX, &record.start_ticks) < 0)
		return -EBADMSG;
	if (!word_parse_int(&words[3], &record.stop_signal) ||
		!word_parse_int(&words[4], &record.stop_timeout_ms))
		return -EBADMSG;
	if ((record.state == SERVICE_RECORD_RUNNING) != (record.pid > 0))
		return -EBADMSG;
	if (!word_equal(&words[5], pid_space))
		return -ESTALE;
	record.command_size_bytes = size_bytes - (size_t)(end + 1 - text);
	record.command = xmemdup_text(end + 1, record.command_size_bytes);
	*ret_record = record;
	return 0;
}

int service_record_load(
	const char *folder, const char *name, struct service_record *ret_record, struct err *err)
{
	cleanup_free char *path = xformat("%s/%s", folder, name);
	cleanup_buf struct buf text = BUF_INIT(2 * RECORD_MAX_BYTES);
	cleanup_buf struct buf pid_space = BUF_INIT(KIB);
	int r;

	r = file_read(path, &text, err);
	if (r < 0)
		return r;
	r = pid_space_read(&pid_space, err);
	if (r < 0)
		return err_wrap(err, r, "reading %s", path);
	r = record_parse(buf_text(&text), text.size_bytes, buf_text(&pid_space), ret_record);
	if (r == -ESTALE)
		return err_set(err, r, "reading %s: written before the last boot", path);
	if (r < 0)
		return err_set(err, r, "reading %s: not a service's record", path);
	return 0;
}

int service_record_remove(const char *folder, const char *name, struct err *err)
{
	cleanup_free char *path = xformat("%s/%s", folder, name);

	return file_remove(path, err);
}

uint64_t service_record_now_ticks(void)
{
	uint64_t per_second = (uint64_t)sysconf(_SC_CLK_TCK);
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * per_second + (uint64_t)now.tv_nsec * per_second / 1000000000;
}

/*
 * A process may have been born before our predecessor's death and still not show its own command
 * line, so it gets a moment.
 */
static int leader_find(struct service_record *record)
{
	int64_t deadline_ms = clock_now_ms() + BIRTH_MS;

	while (session_find_leader(record->command, record->command_size_bytes, record->start_ticks,
		       &record->pid, &record->start_ticks) < 0) {
		if (clock_left_ms(deadline_ms) == 0)
			return -ESRCH;
		clock_sleep_ms(BIRTH_STEP_MS);
	}
	return 0;
}

int service_record_open_process(struct service_record *record, int *ret_pidfd)
{
	cleanup_close int pidfd = -1;
	uint64_t start_ticks;
	int r;

	if (record->state == SERVICE_RECORD_STARTING && leader_find(record) < 0)
		return -ESRCH;
	if (record->pid <= 0)
		return -ESRCH;
	pidfd = pidfd_open(record->pid, 0);
	if (pidfd < 0)
		return -errno;
	/* Asked only now: the descriptor holds on to the process, the number alone does not. */
	r = procfs_process_start_time(record->pid, &start_ticks);
	if (r < 0)
		return r;
	if (start_ticks != record->start_ticks || process_has_ended(pidfd))
		return -ESRCH;
	*ret_pidfd = take_fd(&pidfd);
	return 0;
}
