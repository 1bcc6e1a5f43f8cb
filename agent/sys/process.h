/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Child processes by posix_spawn, never through a shell. A child gets /dev/null as standard input,
 * no descriptor but the standard three, default signal handlers, an empty signal mask, a session
 * of its own (a Ctrl-C at our terminal does not reach it), and our environment without what our
 * own service manager told us in it. SIGCHLD must not be ignored, or children cannot be waited
 * for: main sets it to its default. Thread-safe. Used by the agent.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

struct process_spec {
	const char *const *argv; /* argv[0]: absolute, or looked up in PATH; NULL at the end */
	const char *network_namespace; /* name under /run/netns; NULL or "": the caller's */
	const char *output_path;       /* stdout and stderr are appended here; NULL: inherited */
	bool becomes_daemon; /* puts itself into the background: what it leaves behind goes on */
};

/*
 * Starts a child that outlives us. Its pid becomes *ret_pid: the caller must wait for it. A program
 * that cannot be executed is an error here (-ENOENT, -EACCES …), not a child that ends at once.
 */
int process_spawn(const struct process_spec *spec, pid_t *ret_pid, struct err *err);

/*
 * Runs a child to its end: stdout and stderr together into ret_output (what passes its maximum is
 * cut, not an error; output_path is not used), at most timeout_ms; then it is killed and the
 * result is -ETIMEDOUT. Either way what it leaves behind in its process group is killed too, but
 * for the daemon that it became in time: that may leave the group a moment after the child's end.
 * 0 with the exit status in *ret_status (128 + signal when a signal ended it).
 */
int process_run(const struct process_spec *spec, int timeout_ms, struct buf *ret_output,
	int *ret_status, struct err *err);

/* Whether the process of a pidfd has ended; until its parent reaps it the pid stays taken. */
bool process_has_ended(int pidfd);

/*
 * Lets our future children have up to wanted open files, as far as the kernel lets us. Only the
 * hard limit is raised: who needs many (HAProxy) raises its own soft limit up to that, everybody
 * else keeps the usual one. Called once by main. Returns the limit now in force.
 */
unsigned long process_raise_open_files(unsigned long wanted);
