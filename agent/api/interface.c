/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "api/agent.h"
#include "api/handlers.h"
#include "api/reply.h"
#include "base/alloc.h"
#include "base/text.h"
#include "net/allow_list.h"
#include "sys/netlink.h"
#include "sys/network_namespace.h"

/* The parameter as an address; on failure fills the 400 and returns negative. */
static int call_address(
	const struct call *call, struct address *ret_address, struct http_reply *ret_reply)
{
	cleanup_free char *text =
		xmemdup_text(call->parameters[0].text, call->parameters[0].size_bytes);
	int r = address_parse(text, ret_address);

	if (r < 0)
		reply_error(ret_reply, 400, "Invalid IP address", NULL);
	return r;
}

/* -ENODEV: no interface has the address now; a namespace that is not there has none. */
static int link_find(const struct net_site *site, const struct address *address,
	struct netlink_link *ret_link, struct err *err)
{
	cleanup_network_namespace struct network_namespace_stay stay = NETWORK_NAMESPACE_STAY_NONE;
	cleanup_netlink struct netlink *netlink = NULL;
	int r = network_namespace_enter(site->network_namespace, &stay, err);

	if (r == -ENOENT)
		return -ENODEV;
	if (r == 0)
		r = netlink_open(&netlink, err);
	return r < 0 ? r : netlink_find_address(netlink, address, ret_link, err);
}

static void reply_no_link(struct http_reply *ret_reply, int r, const struct err *err)
{
	if (r == -ENODEV)
		reply_error(ret_reply, 404, "Error interface not found for IP address", NULL);
	else
		reply_error(ret_reply, 500, "Error finding the interface", err->text);
}

void interface_get(const struct call *call, struct http_reply *ret_reply)
{
	struct netlink_link link;
	struct address address;
	struct err err = ERR_NONE;
	int r;

	if (call_address(call, &address, ret_reply) < 0)
		return;
	r = link_find(agent_net(call->agent), &address, &link, &err);
	if (r < 0)
		reply_no_link(ret_reply, r, &err);
	else
		reply_json(ret_reply, 200,
			json_pack("{s:s, s:o}", "message", "OK", "interface",
				reply_json_text(link.name)));
}

/*
 * The interface need only be there: the list is the VIP interface's, whichever of its addresses the
 * controller names. One that a plug or a boot is just bringing is waited for: until they are done.
 */
static int link_await(const struct net_site *site, const struct address *address, struct err *err)
{
	cleanup_net_lock int lock = -1;
	struct netlink_link link;
	int r = link_find(site, address, &link, err);

	if (r != -ENODEV)
		return r;
	r = net_site_lock(site, &lock, err);
	return r < 0 ? r : link_find(site, address, &link, err);
}

static void rules_replace(const struct call *call, const struct address *address,
	const struct allow_rule *rules, size_t count, struct http_reply *ret_reply)
{
	const struct net_site *site = agent_net(call->agent);
	struct err err = ERR_NONE;
	int r = link_await(site, address, &err);

	if (r < 0) {
		reply_no_link(ret_reply, r, &err);
		return;
	}
	r = allow_list_replace(site, rules, count, &err);
	if (r < 0)
		reply_error(ret_reply, 500, "Error setting the rules", err.text);
	else
		reply_ok(ret_reply, 200, NULL);
}

void interface_rules_put(const struct call *call, struct http_reply *ret_reply)
{
	cleanup_free struct allow_rule *rules = NULL;
	struct address address;
	struct err err = ERR_NONE;
	size_t count;

	if (call_address(call, &address, ret_reply) < 0)
		return;
	if (allow_rules_parse(
		    call->request->body, call->request->body_size_bytes, &rules, &count, &err) < 0)
		reply_error(ret_reply, 400, "Invalid rules information", err.text);
	else
		rules_replace(call, &address, rules, count, ret_reply);
}
