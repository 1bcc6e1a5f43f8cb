/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/status_json.h"

#include "base/text.h"

const char *operating_status_text(int status)
{
	static const char *const texts[] = {
		[STATUS_ONLINE] = "ONLINE",
		[STATUS_DEGRADED] = "DEGRADED",
		[STATUS_ERROR] = "ERROR",
		[STATUS_OFFLINE] = "OFFLINE",
	};

	return texts[status];
}

int operating_status_worst(int a, int b)
{
	if (b == STATUS_OFFLINE)
		return a;
	return a == STATUS_OFFLINE || b > a ? b : a;
}

/* A member's status by what is said of it; one that is not there is OFFLINE. */
static const char *member_status(const char *state)
{
	static const struct {
		const char *state; /* how the word begins: "UP 1/3" is UP */
		const char *octavia;
	} words[] = {
		{"UP", "ONLINE"},
		{"DOWN", "ERROR"},
		{"DRAIN", "DRAINING"},
		{"MAINT", "OFFLINE"},
		{"no check", "NO_MONITOR"},
	};

	for (size_t i = 0; state && i < sizeof(words) / sizeof(words[0]); i++)
		if (text_starts_with(state, words[i].state))
			return words[i].octavia;
	return operating_status_text(STATUS_OFFLINE);
}

json_t *status_member_json(const char *id, const char *name, const char *address, in_port_t port,
	const char *state, json_t *observed)
{
	json_t *member = json_pack("{s:s, s:s, s:s, s:i, s:s}", "id", id, "name", name, "address",
		address, "protocol_port", (int)port, "operating_status", member_status(state));

	if (observed)
		json_object_update_missing(member, observed);
	json_decref(observed);
	return member;
}

bool status_has_error(const json_t *members)
{
	size_t index;
	json_t *member;

	json_array_foreach(members, index, member)
	{
		if (text_equal(json_string_value(json_object_get(member, "operating_status")),
			    operating_status_text(STATUS_ERROR)))
			return true;
	}
	return false;
}

json_t *status_monitor_json(const struct health_monitor *monitor)
{
	static const char *const types[] = {
		[HEALTH_MONITOR_TCP] = "TCP",
		[HEALTH_MONITOR_HTTP] = "HTTP",
		[HEALTH_MONITOR_HTTPS] = "HTTPS",
		[HEALTH_MONITOR_PING] = "PING",
		[HEALTH_MONITOR_TLS_HELLO] = "TLS-HELLO",
		[HEALTH_MONITOR_UDP_CONNECT] = "UDP-CONNECT",
		[HEALTH_MONITOR_SCTP] = "SCTP",
	};

	return json_pack("{s:s, s:s, s:s, s:s}", "id", monitor->id.text, "name", monitor->name,
		"type", types[monitor->type], "operating_status",
		operating_status_text(monitor->admin_state_up ? STATUS_ONLINE : STATUS_OFFLINE));
}

json_t *status_pool_json(
	const char *id, const char *name, int status, json_t *monitor, json_t *members)
{
	json_t *pool = json_pack("{s:s, s:s, s:s, s:o}", "id", id, "name", name, "operating_status",
		operating_status_text(status), "members", members);

	if (monitor)
		json_object_set_new(pool, "health_monitor", monitor);
	return pool;
}

json_t *status_listener_json(const char *id, const char *name, int status, json_t *pools)
{
	return json_pack("{s:s, s:s, s:s, s:o}", "id", id, "name", name, "operating_status",
		operating_status_text(status), "pools", pools);
}
