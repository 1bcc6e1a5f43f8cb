/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SIGKILL for a process that a test found by a pid file or by its service. Found nobody: the test
 * fails; kill(0) and kill(-1) would take the whole test run along.
 */
#pragma once

#include <signal.h>
#include <sys/types.h>

static inline void kill_process(pid_t pid)
{
	assert_true(pid > 1);
	kill(pid, SIGKILL);
}
