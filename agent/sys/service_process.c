/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/service_process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "sys/process.h"
#include "sys/procfs.h"
#include "sys/service_record.h"
#include "sys/service_spec.h"
#include "sys/session.h"

enum { OUTPUT_MAX_BYTES = MIB };

/* A service that complains day by day must not fill the disk; the previous part is kept. */
static void output_rotate(const char *path)
{
	cleanup_free char *old = NULL;
	struct stat status;

	if (!path || stat(path, &status) < 0 || status.st_size <= OUTPUT_MAX_BYTES)
		return;
	old = xformat("%s.old", path);
	if (rename(path, old) < 0)
		log_warning(
			"renaming %s, which is larger than %d bytes: %m", path, OUTPUT_MAX_BYTES);
}

static void pid_files_remove(const struct service_spec *spec)
{
	for (size_t i = 0; spec->pid_files && spec->pid_files[i]; i++)
		if (unlink(spec->pid_files[i]) < 0 && errno != ENOENT)
			log_warning("service %s: removing %s: %m", spec->name, spec->pid_files[i]);
}

/*
 * A service without a record runs all the same: that it runs is worth more than that we find it
 * again after a crash of our own.
 */
static void record_store(const char *folder, const struct service_spec *spec,
	const struct service_process *process, enum service_record_state state)
{
	CLEANUP(service_record_deinit)
	struct service_record record = {
		.state = state,
		.pid = state == SERVICE_RECORD_RUNNING ? process->pid : 0,
		.start_ticks = state == SERVICE_RECORD_RUNNING ? process->start_ticks
							       : service_record_now_ticks(),
		.stop_signal = spec->stop_signal,
		.stop_timeout_ms = spec->stop_timeout_ms,
	};
	struct err err = ERR_NONE;

	service_record_set_command(&record, spec->process.argv);
	if (service_record_store(folder, spec->name, &record, &err) < 0)
		log_error("service %s cannot be found again should the agent be restarted: %s",
			spec->name, err.text);
}

/* Takes hold of a child of ours by more than its number. */
static int child_hold(pid_t pid, struct service_process *ret_process)
{
	struct service_process process = {.pid = pid, .pidfd = pidfd_open(pid, 0)};
	int r = process.pidfd < 0 ? -errno : 0;

	if (r == 0)
		r = procfs_process_start_time(pid, &process.start_ticks);
	if (r < 0) {
		service_process_deinit(&process);
		return r;
	}
	*ret_process = process;
	return 0;
}

int service_process_start(const char *folder, const struct service_spec *spec,
	struct service_process *ret_process, struct err *err)
{
	pid_t pid;
	int r;

	output_rotate(spec->process.output_path);
	pid_files_remove(spec);
	/* Should we die before the second record is written, this one tells what to look for. */
	record_store(folder, spec, NULL, SERVICE_RECORD_STARTING);
	r = process_spawn(&spec->process, &pid, err);
	if (r < 0) {
		service_record_remove(folder, spec->name, NULL);
		return r;
	}
	r = child_hold(pid, ret_process);
	if (r < 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		service_record_remove(folder, spec->name, NULL);
		return err_set_errno(
			err, r, "watching %s (pid %d), which was started", spec->name, pid);
	}
	record_store(folder, spec, ret_process, SERVICE_RECORD_RUNNING);
	return 0;
}

/* Kills what is left of a session whose leader ended while no agent saw it. */
static void session_clear(const char *name, pid_t leader, uint64_t start_ticks)
{
	int64_t deadline_ms = clock_now_ms() + SERVICE_PROCESS_CLEAR_MAX_MS;
	unsigned left = session_kill(leader, start_ticks);

	if (left > 0)
		log_warning("service %s (pid %d) has ended and left %u processes: killing them",
			name, leader, left);
	while (left > 0 && clock_left_ms(deadline_ms) > 0) {
		clock_sleep_ms(SERVICE_PROCESS_CLEAR_STEP_MS);
		left = session_kill(leader, start_ticks);
	}
}

int service_process_find(const char *folder, const char *name, struct service_process *ret_process,
	struct service_spec *ret_spec, struct err *err)
{
	CLEANUP(service_record_deinit) struct service_record record = {.command = NULL};
	struct service_process process = SERVICE_PROCESS_NONE;
	int r;

	r = service_record_load(folder, name, &record, err);
	if (r < 0)
		return r;
	r = service_record_open_process(&record, &process.pidfd);
	if (r == -ESRCH) {
		if (record.pid > 0)
			session_clear(name, record.pid, record.start_ticks);
		service_record_remove(folder, name, NULL);
		return err_set(err, r, "service %s has ended while no agent ran", name);
	}
	if (r < 0)
		return err_set_errno(err, r, "finding service %s (pid %d)", name, record.pid);
	process.pid = record.pid;
	process.start_ticks = record.start_ticks;
	*ret_process = process;
	service_spec_copy(&(struct service_spec){.name = name,
				  .stop_signal = record.stop_signal,
				  .stop_timeout_ms = record.stop_timeout_ms},
		ret_spec);
	return 0;
}

bool service_process_is_alive(const struct service_process *process)
{
	return process->pidfd >= 0 && !process_has_ended(process->pidfd);
}

int64_t service_process_age_ms(const struct service_process *process)
{
	int64_t ticks = (int64_t)(service_record_now_ticks() - process->start_ticks);

	return ticks * 1000 / sysconf(_SC_CLK_TCK);
}

void service_process_signal(const struct service_process *process, int signal)
{
	if (process->pidfd >= 0)
		pidfd_send_signal(process->pidfd, signal, NULL, 0);
}

/* Reaps it if it is our child; otherwise only its parent learns how it ended. */
static void end_describe(int pidfd, char ret_end[SERVICE_PROCESS_END_MAX])
{
	siginfo_t info = {.si_pid = 0};

	if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0)
		snprintf(ret_end, SERVICE_PROCESS_END_MAX, "started by an earlier agent");
	else if (info.si_code == CLD_EXITED)
		snprintf(ret_end, SERVICE_PROCESS_END_MAX, "exit status %d", info.si_status);
	else
		snprintf(ret_end, SERVICE_PROCESS_END_MAX, "killed by signal %d", info.si_status);
}

bool service_process_clear(struct service_process *process, char ret_end[SERVICE_PROCESS_END_MAX])
{
	/* An unreaped child keeps its pid, so the session that this kills is surely its own. */
	unsigned left = session_kill(process->pid, process->start_ticks);

	if (process->clear_deadline_ms == 0)
		process->clear_deadline_ms = clock_now_ms() + SERVICE_PROCESS_CLEAR_MAX_MS;
	if (left > 0 && clock_left_ms(process->clear_deadline_ms) > 0)
		return false;
	if (left > 0)
		log_error("%u processes that process %d left behind cannot be killed", left,
			process->pid);
	end_describe(process->pidfd, ret_end);
	service_process_deinit(process);
	return true;
}

void service_process_deinit(struct service_process *process)
{
	close_fd(process->pidfd);
	*process = SERVICE_PROCESS_NONE;
}
