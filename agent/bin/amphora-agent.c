/* SPDX-License-Identifier: Apache-2.0 */
/* amphora-agent: the REST API of an amphora. Stays in the foreground, logs to stderr. */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "api/agent.h"
#include "api/traffic.h"
#include "base/log.h"
#include "conf/command_line.h"
#include "conf/settings.h"
#include "sys/process.h"
#include "sys/systemd.h"

/* Controllers render maxconn up to 1,000,000 (amphora-api.md, "Names of files, units, helpers"). */
enum { HAPROXY_OPEN_FILES = 2600 * 1000 };

/* What grows is cut once an hour. */
enum { TIDY_ROUNDS = 3600 / TRAFFIC_INTERVAL_S };

/* Two arenas serve a few dozen mostly idle threads, and do not keep a burst's memory each. */
enum { MALLOC_ARENAS = 2 };

/*
 * Every thread inherits the blocked signals; this one waits for them. SIGCHLD may have been ignored
 * by who started us, and then no child could be waited for.
 */
static void signals_block(sigset_t *ret_awaited)
{
	sigemptyset(ret_awaited);
	sigaddset(ret_awaited, SIGTERM);
	sigaddset(ret_awaited, SIGINT);
	sigaddset(ret_awaited, SIGHUP);
	pthread_sigmask(SIG_BLOCK, ret_awaited, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
}

/* What is due every TRAFFIC_INTERVAL_S. */
static void chores_do(struct agent *agent)
{
	static unsigned round;

	traffic_count_all(agent);
	if (++round % TIDY_ROUNDS == 0)
		agent_tidy(agent);
}

/*
 * Returns when somebody asks us to end; SIGHUP reads the configuration anew. Between signals the
 * agent counts traffic and tidies up.
 */
static void signals_serve(struct agent *agent, const sigset_t *awaited)
{
	static const struct timespec interval = {.tv_sec = TRAFFIC_INTERVAL_S};
	int received;

	for (;;) {
		struct err err = ERR_NONE;

		systemd_notify("WATCHDOG=1");
		received = sigtimedwait(awaited, NULL, &interval);
		if (received < 0 && errno == EAGAIN)
			chores_do(agent);
		else if (received == SIGHUP && agent_reload_config(agent, &err) < 0)
			log_error("SIGHUP: the present configuration stays: %s", err.text);
		else if (received == SIGTERM || received == SIGINT)
			break;
	}
	log_info("ending on signal %d; HAProxy goes on", received);
}

static int serve(struct settings_sources *sources, struct settings *settings)
{
	struct agent *agent = NULL;
	struct err err = ERR_NONE;
	sigset_t awaited;

	mallopt(M_ARENA_MAX, MALLOC_ARENAS);
	umask(022);
	process_raise_open_files(HAPROXY_OPEN_FILES);
	log_set_debug(settings->debug);
	signals_block(&awaited);
	log_info("amphora-agent %s for amphora %s", AMPHORA_AGENT_VERSION,
		settings->amphora_id.text);
	if (agent_new(sources, settings, &agent, &err) < 0) {
		log_error("cannot start: %s", err.text);
		return STATUS_FAILED;
	}
	log_info("serving on port %u", agent_port(agent));
	signals_serve(agent, &awaited);
	traffic_count_all(agent);
	agent_free(agent);
	return STATUS_FINE;
}

int main(int argc, char **argv)
{
	static const struct command_line_use use = {
		.purpose =
			"The agent inside an Octavia amphora: serves its REST API over mutual TLS.",
		.check = agent_check,
	};
	CLEANUP(settings_deinit) struct settings settings = {0};
	CLEANUP(command_line_deinit) struct command_line line = {0};
	int status;

	if (!command_line_parse(argc, argv, &use, &line, &settings, &status))
		return status;
	return serve(&line.sources, &settings);
}
