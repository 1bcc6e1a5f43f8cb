/* SPDX-License-Identifier: Apache-2.0 */
#include "render/keepalived_lvs_view.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "render/escape_keepalived.h"
#include "render/view.h"

enum { PERSISTENCE_TIMEOUT_DEFAULT_S = 360 };

/* What each member's view needs of those above it. */
struct surroundings {
	const struct listener *listener;
	const struct pool *pool;
	const struct keepalived_lvs_options *options;
};

static const char *const protocols[] = {[LISTENER_UDP] = "UDP", [LISTENER_SCTP] = "SCTP"};

/* IPVS knows no round robin with weights but wrr; sh hashes the source address. */
static const char *const algorithms[] = {
	[LB_ROUND_ROBIN] = "wrr",
	[LB_LEAST_CONNECTIONS] = "lc",
	[LB_SOURCE_IP] = "sh",
};

static void set_seconds(json_t *object, const char *key, long duration_ms)
{
	char text[32];

	if (duration_ms % 1000 == 0)
		snprintf(text, sizeof(text), "%ld", duration_ms / 1000);
	else
		snprintf(text, sizeof(text), "%ld.%03ld", duration_ms / 1000, duration_ms % 1000);
	view_set_text(object, key, text);
}

/* A name that is the object's alone, and whether it is administratively down. */
static void set_named(json_t *object, const struct id *id, bool admin_state_up)
{
	view_set_text(object, "id", id->text);
	view_set_flag(object, "disabled", !admin_state_up);
}

/* Scripts are given whole seconds. */
static long seconds_up(long duration_ms)
{
	return (duration_ms + 999) / 1000;
}

/* NULL: members are not checked. */
static const struct health_monitor *monitor_in_force(const struct pool *pool)
{
	const struct health_monitor *monitor = pool->health_monitor;

	return monitor && monitor->admin_state_up ? monitor : NULL;
}

/* Where the member is checked. */
static void check_end(const struct member *member, struct address *ret_address, in_port_t *ret_port)
{
	*ret_address = member->monitor_address.family ? member->monitor_address : member->address;
	*ret_port = member->monitor_port ? member->monitor_port : member->protocol_port;
}

/* program, its options, then the end to ask; timeout_s: when keepalived kills it. */
static json_t *view_misc_check(
	const char *program, const char *options, const struct member *member, long timeout_s)
{
	cleanup_buf struct buf command = BUF_INIT(64 * KIB);
	char text[ADDRESS_TEXT_MAX];
	struct address address;
	in_port_t port;
	json_t *check = json_object();

	check_end(member, &address, &port);
	address_format(&address, text);
	escape_keepalived_argument(program, strlen(program), &command);
	buf_append_format(&command, "%s %s %u", options, text, port);
	view_set_text(check, "command", buf_text(&command));
	view_set_number(check, "timeout", timeout_s);
	return check;
}

static json_t *view_udp_check(const struct surroundings *around, const struct member *member)
{
	long timeout_s = seconds_up(around->pool->health_monitor->timeout_ms);

	return view_misc_check(around->options->udp_check_script, "", member, timeout_s);
}

/* keepalived gives it a second more than it takes for itself. */
static json_t *view_sctp_check(const struct surroundings *around, const struct member *member)
{
	long timeout_s = seconds_up(around->pool->health_monitor->timeout_ms);
	cleanup_free char *options = xformat(" sctp -t %ld", timeout_s);

	return view_misc_check(around->options->health_checker, options, member, timeout_s + 1);
}

/* Runs of codes become ranges: all of them have to fit on one line. */
static json_t *view_codes(const struct health_monitor_request *request)
{
	json_t *codes = json_array();

	for (size_t first = 0, last; first < request->code_count; first = last + 1) {
		char text[16];

		for (last = first; last + 1 < request->code_count; last++)
			if (request->codes[last + 1] != request->codes[last] + 1)
				break;
		if (first == last)
			snprintf(text, sizeof(text), "%u", request->codes[first]);
		else
			snprintf(text, sizeof(text), "%u-%u", request->codes[first],
				request->codes[last]);
		view_append_text(codes, text);
	}
	return codes;
}

/* How to reach the member, in a check that keepalived does by itself. */
static json_t *view_connection(const struct member *member, const struct health_monitor *monitor)
{
	json_t *check = json_object();
	struct address address;
	in_port_t port;

	check_end(member, &address, &port);
	view_set_address(check, "connect_ip", &address);
	view_set_number(check, "connect_port", port);
	set_seconds(check, "connect_timeout", monitor->timeout_ms);
	return check;
}

static json_t *view_http_get(const struct member *member, const struct health_monitor *monitor)
{
	const struct health_monitor_request *request = &monitor->request;
	json_t *check = view_connection(member, monitor);

	view_set_text(check, "path", request->path);
	view_set(check, "status_codes", view_codes(request));
	if (request->version && text_equal(request->version, "1.1"))
		view_set_text(check, "version", request->version);
	if (request->host)
		view_set_text(check, "host", request->host);
	return check;
}

/* Monitors of other types, or with another method than GET, check nothing, as at Octavia. */
static void set_check(json_t *view, const struct surroundings *around, const struct member *member)
{
	const struct health_monitor *monitor = monitor_in_force(around->pool);

	if (!monitor)
		return;
	if (monitor->type == HEALTH_MONITOR_UDP_CONNECT) {
		view_set(view, "misc_check", view_udp_check(around, member));
	} else if (monitor->type == HEALTH_MONITOR_SCTP) {
		view_set(view, "misc_check", view_sctp_check(around, member));
	} else if (monitor->type == HEALTH_MONITOR_HTTP &&
		   text_equal(monitor->request.method, "GET")) {
		view_set(view, "http_get", view_http_get(member, monitor));
	} else if (monitor->type == HEALTH_MONITOR_TCP) {
		view_set(view, "tcp_check", view_connection(member, monitor));
	}
}

static json_t *view_member(const struct surroundings *around, const struct member *member)
{
	json_t *view = json_object();

	set_named(view, &member->id, member->admin_state_up);
	view_set_address(view, "address", &member->address);
	view_set_number(view, "port", member->protocol_port);
	view_set_number(view, "weight", member->weight);
	if (around->listener->connection_limit)
		view_set_number(view, "uthreshold", around->listener->connection_limit);
	set_check(view, around, member);
	return view;
}

/* A pool that is down says nothing of its members. */
static json_t *view_members(const struct surroundings *around, int family)
{
	const struct pool *pool = around->pool;
	json_t *members = json_array();

	if (!pool->admin_state_up)
		return members;
	for (size_t i = 0; i < pool->member_count; i++)
		if (pool->members[i].address.family == family)
			view_append(members, view_member(around, &pool->members[i]));
	return members;
}

/* What the model gives is of one family; in the other, clients are single addresses. */
static const char *granularity(const struct session_persistence *persistence, int family)
{
	const char *given = persistence->granularity;

	if (given && (strchr(given, '.') != NULL) == (family == AF_INET))
		return given;
	return family == AF_INET ? "255.255.255.255" : "128";
}

static json_t *view_persistence(const struct session_persistence *persistence, int family)
{
	json_t *view = json_object();

	view_set_number(view, "timeout",
		persistence->timeout_s ? (long)persistence->timeout_s
				       : PERSISTENCE_TIMEOUT_DEFAULT_S);
	view_set_text(view, "granularity", granularity(persistence, family));
	return view;
}

static json_t *view_monitor(const struct health_monitor *monitor)
{
	json_t *view = json_object();

	view_set_text(view, "id", monitor->id.text);
	set_seconds(view, "delay_loop", monitor->delay_ms);
	view_set_number(view, "retry", monitor->max_retries_down);
	return view;
}

static json_t *view_pool(const struct pool *pool)
{
	json_t *view = json_object();

	set_named(view, &pool->id, pool->admin_state_up);
	return view;
}

static json_t *view_family(
	const struct surroundings *around, const char *group, int family, json_t *addresses)
{
	const struct pool *pool = around->pool;
	json_t *view = json_object();

	view_set_text(view, "group", group);
	view_set_number(view, "port", around->listener->protocol_port);
	view_set(view, "addresses", addresses);
	view_set_text(view, "lb_algo", algorithms[pool->lb_algorithm]);
	view_set_text(view, "protocol", protocols[around->listener->protocol]);
	if (pool->session_persistence.type == PERSISTENCE_SOURCE_IP)
		view_set(view, "persistence", view_persistence(&pool->session_persistence, family));
	if (monitor_in_force(pool))
		view_set(view, "monitor", view_monitor(pool->health_monitor));
	view_set(view, "pool", view_pool(pool));
	view_set(view, "members", view_members(around, family));
	return view;
}

static json_t *view_addresses(const struct load_balancer *load_balancer, int family)
{
	json_t *addresses = json_array();

	for (size_t i = 0; i < load_balancer->vip_count; i++)
		if (load_balancer->vips[i].address.family == family)
			view_append_address(addresses, &load_balancer->vips[i].address);
	return addresses;
}

/* A family is there when a VIP is of it, whatever its members are of. */
static json_t *view_families(
	const struct load_balancer *load_balancer, const struct surroundings *around)
{
	static const struct {
		int family;
		const char *group;
	} groups[] = {{AF_INET, "ipv4-group"}, {AF_INET6, "ipv6-group"}};
	json_t *families = json_array();

	if (!load_balancer->admin_state_up || !around->listener->admin_state_up || !around->pool)
		return families;
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		json_auto_t *addresses = view_addresses(load_balancer, groups[i].family);

		if (json_array_size(addresses) > 0)
			view_append(families, view_family(around, groups[i].group, groups[i].family,
						      json_incref(addresses)));
	}
	return families;
}

json_t *keepalived_lvs_view(const struct load_balancer *load_balancer,
	const struct listener *listener, const struct keepalived_lvs_options *options)
{
	const struct surroundings around = {
		.listener = listener, .pool = listener->default_pool, .options = options};
	json_t *named = json_object();
	json_t *view = json_object();

	set_named(named, &listener->id, listener->admin_state_up);
	view_set_text(view, "load_balancer", load_balancer->id.text);
	view_set(view, "listener", named);
	if (options->network_namespace[0])
		view_set_text(view, "net_namespace", options->network_namespace);
	view_set(view, "families", view_families(load_balancer, &around));
	return view;
}
