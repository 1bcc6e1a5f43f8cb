/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine's systemd: what it is asked over the system bus (org.freedesktop.systemd1), and what
 * it is told of us. Thread-safe: each question has a connection of its own, so nothing is shared,
 * and none outlives a restart of the bus. Used by sys/service_systemd.c and the agent.
 *
 * Errors of all that ask: -ENOTCONN and the like when the bus or systemd cannot be reached.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* Whether systemd booted this machine. */
bool systemd_booted(void);

/*
 * State of this process as sd_notify(3) has it, "READY=1" or "WATCHDOG=1". Nothing happens where
 * nobody asked for it.
 */
void systemd_notify(const char *state);

enum systemd_job { SYSTEMD_JOB_START, SYSTEMD_JOB_STOP, SYSTEMD_JOB_RESTART };

/*
 * Has systemd do a job on a unit ("NAME.service"), and waits for its result. -ETIMEDOUT: it goes on
 * after timeout_ms. -ENOENT: there is no such unit. -EIO: it failed; systemd's word for how, and
 * where its log is, are in the error.
 */
int systemd_job_run(enum systemd_job job, const char *unit, int timeout_ms, struct err *err);

/* Reads all unit files anew. */
int systemd_reload(struct err *err);
/* Whether that has to be done before systemd knows what the files of a unit say. */
int systemd_needs_reload(const char *unit, bool *ret_needs_reload, struct err *err);

/* Properties of a service, which need not exist: then they are 0. */
enum systemd_number { SYSTEMD_MAIN_PID, SYSTEMD_RESTART_COUNT };
int systemd_service_number(
	const char *unit, enum systemd_number number, uint32_t *ret_value, struct err *err);
