/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The main process of a service and the session that it leads: started or found again, signalled,
 * cleared away. Our own children and those of an earlier agent are the same from here on. Not
 * thread-safe. Used by sys/service_direct.c only.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "sys/service.h"

enum { SERVICE_PROCESS_END_MAX = 64 };

struct service_process {
	int pidfd; /* -1: there is none */
	pid_t pid;
	uint64_t start_ticks;
	int64_t clear_deadline_ms; /* 0 until it is seen to have ended */
};

#define SERVICE_PROCESS_NONE ((struct service_process){.pidfd = -1})

/* Starts it, and leaves a record of it in folder (sys/service_record.h). */
int service_process_start(const char *folder, const struct service_spec *spec,
	struct service_process *ret_process, struct err *err);

/*
 * Finds the running process that the record FOLDER/NAME tells of, and how to stop it: name,
 * stop_signal and stop_timeout_ms of ret_spec, a copy. -ESRCH when it runs no more: then the rest
 * of its session is killed and the record removed. Errors of service_record_load().
 */
int service_process_find(const char *folder, const char *name, struct service_process *ret_process,
	struct service_spec *ret_spec, struct err *err);

/* Whether there is one, and it has not ended. */
bool service_process_is_alive(const struct service_process *process);
/* Since when it runs. */
int64_t service_process_age_ms(const struct service_process *process);
/* To the main process only. One that has ended is fine. */
void service_process_signal(const struct service_process *process, int signal);

/*
 * One step of clearing away a process that has ended: kills what is left of its session, and when
 * nothing is left reaps it, tells how it ended ("exit status 1"), and leaves *process without one.
 * False: to be called again after SERVICE_PROCESS_CLEAR_STEP_MS.
 */
bool service_process_clear(struct service_process *process, char ret_end[SERVICE_PROCESS_END_MAX]);
enum { SERVICE_PROCESS_CLEAR_STEP_MS = 10, SERVICE_PROCESS_CLEAR_MAX_MS = 2000 };

/* Gives up the descriptor; the process goes on. */
void service_process_deinit(struct service_process *process);
