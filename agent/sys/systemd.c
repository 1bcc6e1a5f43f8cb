/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/systemd.h"

#include <errno.h>
#include <stdio.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"

/* Reading all unit files is by far the longest answer. */
enum { ANSWER_TIMEOUT_S = 25, RESULT_MAX = 32 };

#define DESTINATION "org.freedesktop.systemd1"
#define MANAGER     "/org/freedesktop/systemd1", DESTINATION ".Manager"

#define cleanup_bus     CLEANUP(sd_bus_flush_close_unrefp)
#define cleanup_error   CLEANUP(sd_bus_error_free)
#define cleanup_message CLEANUP(sd_bus_message_unrefp)

bool systemd_booted(void)
{
	return sd_booted() > 0;
}

void systemd_notify(const char *state)
{
	sd_notify(0, state);
}

static int bus_open(sd_bus **ret_bus, struct err *err)
{
	int r = sd_bus_open_system(ret_bus);

	if (r < 0)
		return err_set_errno(err, r, "connecting to the system bus");
	sd_bus_set_method_call_timeout(*ret_bus, ANSWER_TIMEOUT_S * 1000000ULL);
	return 0;
}

/* error may hold no text: then errno has to do. */
static int err_set_bus(struct err *err, int code, const sd_bus_error *error, const char *what)
{
	if (error && error->message)
		return err_set(err, code, "%s: systemd says: %s", what, error->message);
	return err_set_errno(err, code, "%s: asking systemd", what);
}

static int manager_call(sd_bus *bus, const char *method, struct err *err)
{
	cleanup_error sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = sd_bus_call_method(bus, DESTINATION, MANAGER, method, &error, NULL, NULL);

	return r < 0 ? err_set_bus(err, r, &error, method) : 0;
}

int systemd_reload(struct err *err)
{
	cleanup_bus sd_bus *bus = NULL;
	int r = bus_open(&bus, err);

	return r < 0 ? r : manager_call(bus, "Reload", err);
}

/* A job under way. */
struct job {
	char *path;
	char result[RESULT_MAX]; /* "": none yet */
};

static void job_deinit(struct job *job)
{
	free(job->path);
}

/* JobRemoved(id, job, unit, result): of any job; ours is known by its path. */
static int job_removed(sd_bus_message *message, void *context, sd_bus_error *ret_error)
{
	struct job *job = context;
	const char *path;
	const char *result;

	(void)ret_error;
	if (sd_bus_message_read(message, "uoss", NULL, &path, NULL, &result) >= 0 && job->path &&
		text_equal(path, job->path))
		snprintf(job->result, sizeof(job->result), "%s", result);
	return 0;
}

/* Signals of jobs are sent to none but subscribers. */
static int jobs_subscribe(sd_bus *bus, struct job *job, struct err *err)
{
	int r = sd_bus_match_signal(
		bus, NULL, DESTINATION, MANAGER, "JobRemoved", job_removed, job);

	return r < 0 ? err_set_errno(err, r, "asking systemd for the ends of jobs")
		     : manager_call(bus, "Subscribe", err);
}

static int job_enqueue(
	sd_bus *bus, const char *method, const char *unit, struct job *job, struct err *err)
{
	cleanup_error sd_bus_error error = SD_BUS_ERROR_NULL;
	cleanup_message sd_bus_message *reply = NULL;
	const char *path;
	int r;

	r = sd_bus_call_method(
		bus, DESTINATION, MANAGER, method, &error, &reply, "ss", unit, "replace");
	if (r < 0 && sd_bus_error_has_name(&error, "org.freedesktop.systemd1.NoSuchUnit"))
		r = -ENOENT;
	if (r < 0)
		return err_set_bus(err, r, &error, unit);
	r = sd_bus_message_read(reply, "o", &path);
	if (r < 0)
		return err_set_errno(err, r, "%s: reading what systemd answered", unit);
	job->path = xstrdup(path);
	return 0;
}

/* What came before the answer that named the job is still to be processed. */
static int job_await(
	sd_bus *bus, const char *unit, const struct job *job, int timeout_ms, struct err *err)
{
	int64_t deadline_ms = clock_now_ms() + timeout_ms;
	int r = 0;

	while (!job->result[0]) {
		int left_ms = clock_left_ms(deadline_ms);

		r = sd_bus_process(bus, NULL);
		if (r == 0 && left_ms == 0)
			return err_set(err, -ETIMEDOUT,
				"%s: systemd has not done its job within %d ms", unit, timeout_ms);
		if (r == 0)
			r = sd_bus_wait(bus, (uint64_t)left_ms * 1000);
		if (r < 0 && r != -EINTR)
			return err_set_errno(err, r, "%s: waiting for systemd's job", unit);
	}
	if (!text_equal(job->result, "done"))
		return err_set(err, -EIO,
			"%s: systemd's job ended with '%s', see 'journalctl -u %s'", unit,
			job->result, unit);
	return 0;
}

int systemd_job_run(enum systemd_job kind, const char *unit, int timeout_ms, struct err *err)
{
	static const char *const methods[] = {
		[SYSTEMD_JOB_START] = "StartUnit",
		[SYSTEMD_JOB_STOP] = "StopUnit",
		[SYSTEMD_JOB_RESTART] = "RestartUnit",
	};
	CLEANUP(job_deinit) struct job job = {.path = NULL};
	cleanup_bus sd_bus *bus = NULL;
	int r = bus_open(&bus, err);

	if (r == 0)
		r = jobs_subscribe(bus, &job, err);
	if (r == 0)
		r = job_enqueue(bus, methods[kind], unit, &job, err);
	return r < 0 ? r : job_await(bus, unit, &job, timeout_ms, err);
}

/* type: 'b' (into an int) or 'u'. */
static int property_get(const char *unit, const char *interface, const char *property, char type,
	void *ret_value, struct err *err)
{
	cleanup_error sd_bus_error error = SD_BUS_ERROR_NULL;
	cleanup_bus sd_bus *bus = NULL;
	cleanup_free char *path = NULL;
	int r = bus_open(&bus, err);

	if (r < 0)
		return r;
	r = sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit, &path);
	if (r >= 0)
		r = sd_bus_get_property_trivial(
			bus, DESTINATION, path, interface, property, &error, type, ret_value);
	return r < 0 ? err_set_bus(err, r, &error, unit) : 0;
}

int systemd_needs_reload(const char *unit, bool *ret_needs_reload, struct err *err)
{
	int value = 0;
	int r = property_get(
		unit, DESTINATION ".Unit", "NeedDaemonReload", SD_BUS_TYPE_BOOLEAN, &value, err);

	if (r == 0)
		*ret_needs_reload = value != 0;
	return r;
}

int systemd_service_number(
	const char *unit, enum systemd_number number, uint32_t *ret_value, struct err *err)
{
	static const char *const properties[] = {
		[SYSTEMD_MAIN_PID] = "MainPID",
		[SYSTEMD_RESTART_COUNT] = "NRestarts",
	};

	return property_get(unit, DESTINATION ".Service", properties[number], SD_BUS_TYPE_UINT32,
		ret_value, err);
}
