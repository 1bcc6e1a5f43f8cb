/* SPDX-License-Identifier: Apache-2.0 */
/*
 * haproxy-vrrp-check: whether this amphora can serve, and so should hold the VIP. keepalived runs
 * it every few seconds through BASE/vrrp/check_script.sh (amphora-api.md, "VRRP check"), so it asks
 * its questions, all at once, and ends; it loads no library but libc.
 */
#include <getopt.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "keepalived/process.h"
#include "sys/stats_socket.h"

enum { STATUS_SERVES = 0, STATUS_FAILS = 1, STATUS_WRONG_USE = 2 };

enum {
	/* keepalived kills a check at its interval, 5 s, and then nobody would learn the reason. */
	TIMEOUT_MS = 4500,
	ANSWER_MAX_BYTES = MIB,
};

/* Frontends only: members would make a megabyte every few seconds of what nobody reads. */
static const char command[] = "show stat -1 1 -1";

static const struct option options[] = {
	{"pid-file", required_argument, NULL, 'p'},
	{"unless", required_argument, NULL, 'u'},
	{"version", no_argument, NULL, 'v'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static void help_print(void)
{
	printf("usage: haproxy-vrrp-check [SOCKET ...] [--pid-file FILE ...] [--unless FILE ...]\n"
	       "Whether every HAProxy answers on its stats SOCKET, the keepalived that each pid\n"
	       "FILE names runs, and there is no FILE that tells of listeners that an HAProxy\n"
	       "leaves out. Says on stderr what is wrong.\n\n"
	       "Exit status: 0 all of them, 1 not all or none given, 2 wrong use.\n");
}

/* Whether what came back is the beginning of statistics, however long they are. */
static bool has_answered(const struct stats_socket_exchange *exchange)
{
	return (exchange->result == 0 || exchange->result == -EMSGSIZE) &&
	       text_starts_with(buf_text(&exchange->answer), "# pxname,");
}

static bool sockets_check(char **paths, size_t count)
{
	cleanup_free struct stats_socket_exchange *exchanges =
		xcalloc(count + 1, sizeof(*exchanges));
	bool serve = true;

	for (size_t i = 0; i < count; i++)
		exchanges[i] = (struct stats_socket_exchange){
			.path = paths[i],
			.command = command,
			.answer = BUF_INIT(ANSWER_MAX_BYTES),
		};
	stats_socket_exchange_all(exchanges, count, TIMEOUT_MS);
	for (size_t i = 0; i < count; i++) {
		if (!has_answered(&exchanges[i])) {
			fprintf(stderr, "haproxy-vrrp-check: %s\n",
				exchanges[i].result < 0 ? exchanges[i].err.text
							: "no statistics came back");
			serve = false;
		}
		buf_deinit(&exchanges[i].answer);
	}
	return serve;
}

static bool pid_file_check(const char *path)
{
	if (keepalived_pid(path) > 0)
		return true;
	fprintf(stderr, "haproxy-vrrp-check: %s names no keepalived that runs\n", path);
	return false;
}

static bool absence_check(const char *path)
{
	if (!file_exists(path))
		return true;
	fprintf(stderr, "haproxy-vrrp-check: %s is there: listeners are left out\n", path);
	return false;
}

int main(int argc, char **argv)
{
	bool serve = true;
	size_t asked = 0;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		switch (option) {
		case 'p':
			asked++;
			serve = pid_file_check(optarg) && serve;
			break;
		case 'u':
			serve = absence_check(optarg) && serve;
			break;
		case 'v':
			printf("haproxy-vrrp-check %s\n", AMPHORA_AGENT_VERSION);
			return STATUS_SERVES;
		case 'h':
			help_print();
			return STATUS_SERVES;
		default: /* getopt has complained */
			return STATUS_WRONG_USE;
		}
	}
	asked += (size_t)(argc - optind);
	serve = sockets_check(argv + optind, (size_t)(argc - optind)) && serve;
	if (asked == 0)
		fprintf(stderr, "haproxy-vrrp-check: there is nothing to serve\n");
	return serve && asked > 0 ? STATUS_SERVES : STATUS_FAILS;
}
