/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the manager "direct" must find again after its own restart: one small file for each
 * service, FOLDER/NAME, replaced atomically. It tells of processes, so it holds only for the
 * present boot and pid namespace, and is not synced to disk. Used by sys/service_direct.c only.
 *
 * The first line is "STATE PID START-TICKS STOP-SIGNAL STOP-TIMEOUT-MS BOOT-ID:INIT-START-TICKS",
 * then comes the command line, each argument followed by a NUL.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

enum service_record_state {
	SERVICE_RECORD_STARTING, /* a process may have been started that no record tells of yet */
	SERVICE_RECORD_RUNNING,
};

/* A plain value but for the command. */
struct service_record {
	enum service_record_state state;
	pid_t pid;            /* 0 while STARTING */
	uint64_t start_ticks; /* of the process; while STARTING: no later than that */
	int stop_signal;
	int stop_timeout_ms;
	char *command; /* malloc'ed */
	size_t command_size_bytes;
};

/* argv as the record's command. */
void service_record_set_command(struct service_record *record, const char *const *argv);
void service_record_deinit(struct service_record *record);

int service_record_store(
	const char *folder, const char *name, const struct service_record *record, struct err *err);
/* -ENOENT: none; -ESTALE: of another boot or pid namespace; -EBADMSG: no record. */
int service_record_load(
	const char *folder, const char *name, struct service_record *ret_record, struct err *err);
/* One that is not there is fine. */
int service_record_remove(const char *folder, const char *name, struct err *err);

/* The present moment as a start time, for STARTING. */
uint64_t service_record_now_ticks(void);

/*
 * The live main process that a record tells of, as a pidfd; fills in pid and start_ticks of a
 * STARTING one. -ESRCH when it is no more (or never was); another error says nothing about it.
 */
int service_record_open_process(struct service_record *record, int *ret_pidfd);
