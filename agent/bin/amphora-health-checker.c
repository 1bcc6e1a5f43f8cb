/* SPDX-License-Identifier: Apache-2.0 */
/*
 * amphora-health-checker: asks one server once and ends; what keepalived and HAProxy run as their
 * health checks, every few seconds for each member (amphora-api.md, "Names of files, units,
 * helpers"). So it links little and starts at once.
 *
 *	amphora-health-checker sctp [-t SECONDS] ADDRESS PORT	in keepalived's configs
 *	amphora-health-checker udp ADDRESS PORT			by BASE/lvs/check/udp_check.sh
 *	amphora-health-checker ping ADDRESS			by BASE/ping-wrapper.sh
 *
 * Exit status for sctp: 0 INIT ACK, 1 ABORT, 2 no answer within SECONDS (default 3), 3 anything
 * else. For ping: 0 an echo within a second, else not 0. For udp: 1 when the port answers
 * "unreachable", 3 when nothing could be sent, else 0, after at most 0.9 s: as `nc -uz -w1` of the
 * reference, but with one datagram where that sends three, done as soon as something answers, and
 * before keepalived ends a check whose limit is 1 s.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "sys/probe.h"

enum { STATUS_FINE = 0, STATUS_REFUSED = 1, STATUS_SILENT = 2, STATUS_OTHER = 3 };

enum {
	SCTP_TIMEOUT_S = 3,
	SCTP_TIMEOUT_MAX_S = 24 * 60 * 60,
	UDP_TIMEOUT_MS = 900,
	PING_TIMEOUT_MS = 1000,
};

/* What is left of the command line. */
struct arguments {
	char **next;
	int count;
};

static int usage(void)
{
	fputs("usage: amphora-health-checker sctp [-t SECONDS] ADDRESS PORT\n"
	      "       amphora-health-checker udp ADDRESS PORT\n"
	      "       amphora-health-checker ping ADDRESS\n",
		stderr);
	return STATUS_OTHER;
}

static const char *argument_take(struct arguments *arguments)
{
	if (arguments->count == 0)
		return "";
	arguments->count--;
	return *arguments->next++;
}

static bool address_take(struct arguments *arguments, struct address *ret_address)
{
	return address_parse(argument_take(arguments), ret_address) == 0;
}

static bool number_take(
	struct arguments *arguments, uint64_t min, uint64_t max, uint64_t *ret_number)
{
	return text_parse_u64(argument_take(arguments), min, max, ret_number) == 0;
}

/* What was found out, for a person who asks by hand. */
static int result_print(int r, enum probe_result result, const struct err *err)
{
	static const char *const texts[] = {
		[PROBE_ANSWERED] = "answered",
		[PROBE_REFUSED] = "refused",
		[PROBE_SILENT] = "no answer",
		[PROBE_OTHER] = "unreachable, or not what was asked",
	};
	static const int statuses[] = {
		[PROBE_ANSWERED] = STATUS_FINE,
		[PROBE_REFUSED] = STATUS_REFUSED,
		[PROBE_SILENT] = STATUS_SILENT,
		[PROBE_OTHER] = STATUS_OTHER,
	};

	if (r < 0) {
		fprintf(stderr, "amphora-health-checker: %s\n", err->text);
		return STATUS_OTHER;
	}
	puts(texts[result]);
	return statuses[result];
}

static int sctp_check(struct arguments *arguments)
{
	uint64_t timeout_s = SCTP_TIMEOUT_S;
	enum probe_result result = PROBE_OTHER;
	struct address address;
	struct err err = ERR_NONE;
	uint64_t port;
	int r;

	if (arguments->count > 0 && text_equal(arguments->next[0], "-t")) {
		argument_take(arguments);
		if (!number_take(arguments, 0, SCTP_TIMEOUT_MAX_S, &timeout_s))
			return usage();
	}
	if (!address_take(arguments, &address) || !number_take(arguments, 1, UINT16_MAX, &port))
		return usage();
	r = probe_sctp(&address, (uint16_t)port, (int)timeout_s * 1000, &result, &err);
	return result_print(r, result, &err);
}

static int udp_check(struct arguments *arguments)
{
	enum probe_result result = PROBE_OTHER;
	struct address address;
	struct err err = ERR_NONE;
	uint64_t port;
	int status;
	int r;

	if (!address_take(arguments, &address) || !number_take(arguments, 1, UINT16_MAX, &port))
		return usage();
	r = probe_udp(&address, (uint16_t)port, UDP_TIMEOUT_MS, &result, &err);
	status = result_print(r, result, &err);
	/* Silence is what most UDP servers have for a stranger; only a closed port speaks. */
	return r == 0 && result != PROBE_REFUSED ? STATUS_FINE : status;
}

static int ping_check(struct arguments *arguments)
{
	enum probe_result result = PROBE_OTHER;
	struct address address;
	struct err err = ERR_NONE;
	int r;

	if (!address_take(arguments, &address))
		return usage();
	r = probe_ping(&address, PING_TIMEOUT_MS, &result, &err);
	return result_print(r, result, &err);
}

int main(int argc, char **argv)
{
	struct arguments arguments = {.next = argv + 1, .count = argc > 0 ? argc - 1 : 0};
	const char *protocol = argument_take(&arguments);

	if (text_equal_nocase(protocol, "sctp"))
		return sctp_check(&arguments);
	if (text_equal_nocase(protocol, "udp"))
		return udp_check(&arguments);
	if (text_equal_nocase(protocol, "ping"))
		return ping_check(&arguments);
	return usage();
}
