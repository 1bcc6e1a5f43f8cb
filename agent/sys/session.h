/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions of processes: process_spawn() gives each service one of its own, and all that the
 * service forks stays in it, so a session tells which processes belong together. Needs /proc.
 * Used by the agent.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Sends SIGKILL to every live process of the session that leader led, once leader itself has ended;
 * returns how many there were. They die soon, not at once: repeat until it returns 0. start_ticks
 * is when leader started (sys/procfs.h): with a process of another start time under its number
 * that session is over, and nothing is done.
 */
unsigned session_kill(pid_t leader, uint64_t start_ticks);

/*
 * The leader of a session that started at since_ticks or later with exactly this command line (its
 * arguments, each followed by a NUL). 0, or -ESRCH when there is none.
 */
int session_find_leader(const char *command, size_t command_size_bytes, uint64_t since_ticks,
	pid_t *ret_leader, uint64_t *ret_start_ticks);
