/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Child processes by posix_spawn, never through a shell. Children get /dev/null as standard input,
 * no descriptor but the standard three, default signal handlers and an empty signal mask.
 * Used by the agent.
 */
#pragma once

#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

struct process_spec {
	const char *const *argv; /* argv[0]: absolute, or looked up in PATH; NULL at the end */
	const char *network_namespace; /* name under /run/netns; NULL or "": the caller's */
	const char *output_path;       /* stdout and stderr are appended here; NULL: inherited */
	unsigned long open_files;      /* RLIMIT_NOFILE wanted, cut to what we may give; 0: ours */
};

/* Starts a child that outlives us. Its pid becomes *ret_pid, to be watched by the caller. */
int process_spawn(const struct process_spec *spec, pid_t *ret_pid, struct err *err);

/*
 * Runs a child to its end: stdout and stderr together into ret_output (what passes its maximum is
 * cut, not an error), at most timeout_ms; then it is killed and the result is -ETIMEDOUT.
 * 0 with the exit status in *ret_status (128 + signal when a signal ended it).
 */
int process_run(const struct process_spec *spec, int timeout_ms, struct buf *ret_output,
	int *ret_status, struct err *err);
