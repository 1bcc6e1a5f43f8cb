/* SPDX-License-Identifier: Apache-2.0 */
#include "heartbeat/targets.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/condition.h"
#include "base/log.h"
#include "heartbeat/target.h"

struct targets {
	struct target **list;
	size_t count;
	size_t next;
	struct condition none;
};

struct targets *targets_new(const char *const *entries, size_t entry_count)
{
	struct targets *targets = xcalloc(1, sizeof(*targets));

	targets->list = xcalloc(entry_count, sizeof(struct target *));
	for (size_t i = 0; i < entry_count; i++) {
		struct endpoint endpoint;
		struct err err = ERR_NONE;

		if (endpoint_parse(entries[i], &endpoint, &err) < 0)
			log_error(
				"[health_manager] controller_ip_port_list: %s; left out", err.text);
		else
			targets->list[targets->count++] = target_new(entries[i], &endpoint);
	}
	if (targets->count == 0)
		condition_raise(&targets->none, -EDESTADDRREQ,
			"no heartbeat is sent: [health_manager] controller_ip_port_list names no "
			"health manager");
	return targets;
}

void targets_free(struct targets *targets)
{
	if (!targets)
		return;
	for (size_t i = 0; i < targets->count; i++)
		target_free(targets->list[i]);
	condition_deinit(&targets->none);
	free(targets->list);
	free(targets);
}

int targets_send(struct targets *targets, const void *datagram, size_t size_bytes, int timeout_ms,
	const char **ret_target)
{
	int64_t deadline_ms = clock_now_ms() + timeout_ms;
	int r = -EDESTADDRREQ;

	/*
	 * Two rounds: the first call to a target may only have brought to light that its previous
	 * datagram was refused, and where every other target fails too, it is due another try.
	 */
	for (size_t i = 0; i < 2 * targets->count; i++) {
		struct target *target = targets->list[targets->next];

		targets->next = (targets->next + 1) % targets->count;
		r = target_send(target, datagram, size_bytes);
		if (r == 0) {
			*ret_target = target_text(target);
			return 0;
		}
		if (clock_left_ms(deadline_ms) == 0)
			break;
	}
	return r;
}

void targets_wait(struct targets *targets, int timeout_ms)
{
	int64_t deadline_ms = clock_now_ms() + timeout_ms;

	for (size_t i = 0; i < targets->count; i++)
		target_wait(targets->list[i], clock_left_ms(deadline_ms));
}

void targets_describe(const struct targets *targets, struct buf *ret_problems)
{
	condition_describe(&targets->none, ret_problems);
	for (size_t i = 0; i < targets->count; i++)
		target_describe(targets->list[i], ret_problems);
}
