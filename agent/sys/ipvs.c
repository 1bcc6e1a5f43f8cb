/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/ipvs.h"

#include <errno.h>
#include <linux/ip_vs.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "sys/network_namespace.h"

enum {
	/* The kernel makes no piece of an answer larger than the room it is offered, or 8 KiB. */
	DATAGRAM_MAX_BYTES = 16 * KIB,
	ERRNO_MAX = 4095,
};

struct ipvs {
	struct nl_sock *socket;
	int family; /* the kernel's number for IPVS; 0: to be looked up */
};

DEFINE_CLEANUP(struct nl_msg *, nlmsg_free);

void ipvs_table_deinit(struct ipvs_table *table)
{
	free(table->services);
	free(table->destinations);
	*table = IPVS_TABLE_INIT;
}

/* The kernel pads an IPv4 address to the length of an IPv6 one. */
static int address_read(uint16_t family, const struct nlattr *attr, struct address *ret_address)
{
	*ret_address = (struct address){.family = family};
	if (family == AF_INET)
		memcpy(&ret_address->v4, nla_data(attr), sizeof(ret_address->v4));
	else if (family == AF_INET6)
		memcpy(&ret_address->v6, nla_data(attr), sizeof(ret_address->v6));
	else
		return -EBADMSG;
	return 0;
}

static int counters_read(struct nlattr *stats, struct ipvs_counters *ret_counters)
{
	static const struct nla_policy policy[IPVS_STATS_ATTR_MAX + 1] = {
		[IPVS_STATS_ATTR_CONNS] = {.type = NLA_U64},
		[IPVS_STATS_ATTR_INBYTES] = {.type = NLA_U64},
		[IPVS_STATS_ATTR_OUTBYTES] = {.type = NLA_U64},
	};
	struct nlattr *attrs[IPVS_STATS_ATTR_MAX + 1];

	if (nla_parse_nested(attrs, IPVS_STATS_ATTR_MAX, stats, policy) < 0 ||
		!attrs[IPVS_STATS_ATTR_CONNS] || !attrs[IPVS_STATS_ATTR_INBYTES] ||
		!attrs[IPVS_STATS_ATTR_OUTBYTES])
		return -EBADMSG;
	ret_counters->connections = nla_get_u64(attrs[IPVS_STATS_ATTR_CONNS]);
	ret_counters->bytes_in = nla_get_u64(attrs[IPVS_STATS_ATTR_INBYTES]);
	ret_counters->bytes_out = nla_get_u64(attrs[IPVS_STATS_ATTR_OUTBYTES]);
	return 0;
}

static int service_take(struct ipvs_table *table, struct nlattr *nested)
{
	static const struct nla_policy policy[IPVS_SVC_ATTR_MAX + 1] = {
		[IPVS_SVC_ATTR_AF] = {.type = NLA_U16},
		[IPVS_SVC_ATTR_PROTOCOL] = {.type = NLA_U16},
		[IPVS_SVC_ATTR_ADDR] = {.minlen = sizeof(struct in6_addr)},
		[IPVS_SVC_ATTR_PORT] = {.type = NLA_U16},
		[IPVS_SVC_ATTR_STATS64] = {.type = NLA_NESTED},
	};
	struct nlattr *attrs[IPVS_SVC_ATTR_MAX + 1];
	struct ipvs_service service = {.first_destination = 0};

	if (nla_parse_nested(attrs, IPVS_SVC_ATTR_MAX, nested, policy) < 0)
		return -EBADMSG;
	if (attrs[IPVS_SVC_ATTR_FWMARK])
		return 0;
	if (!attrs[IPVS_SVC_ATTR_AF] || !attrs[IPVS_SVC_ATTR_PROTOCOL] ||
		!attrs[IPVS_SVC_ATTR_ADDR] || !attrs[IPVS_SVC_ATTR_PORT] ||
		!attrs[IPVS_SVC_ATTR_STATS64] ||
		address_read(nla_get_u16(attrs[IPVS_SVC_ATTR_AF]), attrs[IPVS_SVC_ATTR_ADDR],
			&service.address) < 0 ||
		counters_read(attrs[IPVS_SVC_ATTR_STATS64], &service.counters) < 0)
		return -EBADMSG;
	service.protocol = (uint8_t)nla_get_u16(attrs[IPVS_SVC_ATTR_PROTOCOL]);
	service.port = ntohs(nla_get_u16(attrs[IPVS_SVC_ATTR_PORT]));
	table->services =
		xrealloc_array(table->services, table->service_count + 1, sizeof(*table->services));
	table->services[table->service_count++] = service;
	return 0;
}

static int destination_take(struct ipvs_table *table, struct nlattr *nested)
{
	static const struct nla_policy policy[IPVS_DEST_ATTR_MAX + 1] = {
		[IPVS_DEST_ATTR_ADDR_FAMILY] = {.type = NLA_U16},
		[IPVS_DEST_ATTR_ADDR] = {.minlen = sizeof(struct in6_addr)},
		[IPVS_DEST_ATTR_PORT] = {.type = NLA_U16},
		[IPVS_DEST_ATTR_WEIGHT] = {.type = NLA_U32},
		[IPVS_DEST_ATTR_ACTIVE_CONNS] = {.type = NLA_U32},
		[IPVS_DEST_ATTR_INACT_CONNS] = {.type = NLA_U32},
		[IPVS_DEST_ATTR_STATS64] = {.type = NLA_NESTED},
	};
	struct nlattr *attrs[IPVS_DEST_ATTR_MAX + 1];
	struct ipvs_destination destination;

	if (nla_parse_nested(attrs, IPVS_DEST_ATTR_MAX, nested, policy) < 0)
		return -EBADMSG;
	if (!attrs[IPVS_DEST_ATTR_ADDR_FAMILY] || !attrs[IPVS_DEST_ATTR_ADDR] ||
		!attrs[IPVS_DEST_ATTR_PORT] || !attrs[IPVS_DEST_ATTR_WEIGHT] ||
		!attrs[IPVS_DEST_ATTR_ACTIVE_CONNS] || !attrs[IPVS_DEST_ATTR_INACT_CONNS] ||
		!attrs[IPVS_DEST_ATTR_STATS64] ||
		address_read(nla_get_u16(attrs[IPVS_DEST_ATTR_ADDR_FAMILY]),
			attrs[IPVS_DEST_ATTR_ADDR], &destination.address) < 0 ||
		counters_read(attrs[IPVS_DEST_ATTR_STATS64], &destination.counters) < 0)
		return -EBADMSG;
	destination.port = ntohs(nla_get_u16(attrs[IPVS_DEST_ATTR_PORT]));
	destination.weight = nla_get_u32(attrs[IPVS_DEST_ATTR_WEIGHT]);
	destination.active_connections = nla_get_u32(attrs[IPVS_DEST_ATTR_ACTIVE_CONNS]);
	destination.inactive_connections = nla_get_u32(attrs[IPVS_DEST_ATTR_INACT_CONNS]);
	table->destinations = xrealloc_array(
		table->destinations, table->destination_count + 1, sizeof(*table->destinations));
	table->destinations[table->destination_count++] = destination;
	return 0;
}

/* A message of the family itself. */
static int item_take(struct ipvs_table *table, struct nlmsghdr *message)
{
	static const struct nla_policy policy[IPVS_CMD_ATTR_MAX + 1] = {
		[IPVS_CMD_ATTR_SERVICE] = {.type = NLA_NESTED},
		[IPVS_CMD_ATTR_DEST] = {.type = NLA_NESTED},
	};
	struct nlattr *attrs[IPVS_CMD_ATTR_MAX + 1];

	if (!genlmsg_valid_hdr(message, 0) ||
		genlmsg_parse(message, 0, attrs, IPVS_CMD_ATTR_MAX, policy) < 0)
		return -EBADMSG;
	switch (genlmsg_hdr(message)->cmd) {
	case IPVS_CMD_NEW_SERVICE:
		return attrs[IPVS_CMD_ATTR_SERVICE]
			       ? service_take(table, attrs[IPVS_CMD_ATTR_SERVICE])
			       : -EBADMSG;
	case IPVS_CMD_NEW_DEST:
		return attrs[IPVS_CMD_ATTR_DEST]
			       ? destination_take(table, attrs[IPVS_CMD_ATTR_DEST])
			       : -EBADMSG;
	default:
		return -EBADMSG;
	}
}

/* The errno that a refusal, or the end of an answer, carries: 0 or negative. */
static int verdict_read(const struct nlmsghdr *message)
{
	int verdict;

	if (nlmsg_datalen(message) < (int)sizeof(verdict))
		return -EBADMSG;
	memcpy(&verdict, nlmsg_data(message), sizeof(verdict));
	return verdict > 0 || verdict < -ERRNO_MAX ? -EBADMSG : verdict;
}

static int message_take(struct ipvs_table *table, struct nlmsghdr *message, bool *ret_is_done)
{
	switch (message->nlmsg_type) {
	case NLMSG_NOOP:
		return 0;
	case NLMSG_ERROR:
	case NLMSG_DONE:
		*ret_is_done = true;
		return verdict_read(message);
	default:
		return item_take(table, message);
	}
}

int ipvs_table_parse(struct ipvs_table *table, const void *datagram, size_t size_bytes,
	bool *ret_is_done, struct err *err)
{
	/* libnl reads through pointers to what is not const. */
	struct nlmsghdr *message = (void *)datagram;
	int left = (int)size_bytes;
	bool is_done = false;

	while (nlmsg_ok(message, left)) {
		int r = message_take(table, message, &is_done);

		if (r == -EBADMSG)
			return err_set(err, r, "the kernel's IPVS said what nobody understands");
		if (r < 0)
			return err_set_errno(err, r, "asking the kernel's IPVS");
		message = nlmsg_next(message, &left);
	}
	if (left > 0)
		return err_set(err, -EBADMSG, "a message of the kernel's IPVS is cut off");
	*ret_is_done = is_done;
	return 0;
}

int ipvs_open(struct ipvs **ret_ipvs, struct err *err)
{
	cleanup_ipvs struct ipvs *ipvs = xcalloc(1, sizeof(*ipvs));
	int r;

	ipvs->socket = nl_socket_alloc();
	if (!ipvs->socket)
		return err_set(err, -ENOMEM, "opening a netlink socket for IPVS");
	nl_socket_disable_auto_ack(ipvs->socket);
	r = genl_connect(ipvs->socket);
	if (r < 0)
		return err_set(err, -EIO, "opening a netlink socket for IPVS: %s", nl_geterror(r));
	*ret_ipvs = take_ptr(ipvs);
	return 0;
}

void ipvs_close(struct ipvs *ipvs)
{
	if (!ipvs)
		return;
	nl_socket_free(ipvs->socket);
	free(ipvs);
}

/* Throws away what is left of an answer that was given up: no new one begins before its end. */
static void leftovers_drop(const struct ipvs *ipvs, char *datagram)
{
	int fd = nl_socket_get_fd(ipvs->socket);

	while (recv(fd, datagram, DATAGRAM_MAX_BYTES, MSG_DONTWAIT) >= 0)
		;
}

static int timeout_set(const struct ipvs *ipvs, int timeout_ms, struct err *err)
{
	struct timeval timeout = {
		.tv_sec = timeout_ms / 1000,
		.tv_usec = timeout_ms % 1000 * 1000,
	};

	if (setsockopt(nl_socket_get_fd(ipvs->socket), SOL_SOCKET, SO_RCVTIMEO, &timeout,
		    sizeof(timeout)) < 0)
		return err_set_errno(err, -errno, "asking the kernel's IPVS");
	return 0;
}

/* The family is there once the module is loaded, and has another number when it is so again. */
static int family_find(struct ipvs *ipvs, struct err *err)
{
	int family;

	if (ipvs->family > 0)
		return 0;
	family = genl_ctrl_resolve(ipvs->socket, IPVS_GENL_NAME);
	if (family == -NLE_OBJ_NOTFOUND)
		return err_set(err, -ENOENT, "the kernel has no IPVS: is the module ip_vs loaded?");
	if (family < 0)
		return err_set(err, family == -NLE_AGAIN ? -ETIMEDOUT : -EIO,
			"looking for the kernel's IPVS: %s", nl_geterror(family));
	ipvs->family = family;
	return 0;
}

/* What the kernel finds a service by. */
static int service_put(struct nl_msg *request, const struct ipvs_service *service)
{
	struct in6_addr padded = {.s6_addr = {0}};
	struct nlattr *nested = nla_nest_start(request, IPVS_CMD_ATTR_SERVICE);

	if (service->address.family == AF_INET)
		memcpy(&padded, &service->address.v4, sizeof(service->address.v4));
	else
		padded = service->address.v6;
	if (!nested ||
		nla_put_u16(request, IPVS_SVC_ATTR_AF, (uint16_t)service->address.family) < 0 ||
		nla_put_u16(request, IPVS_SVC_ATTR_PROTOCOL, service->protocol) < 0 ||
		nla_put(request, IPVS_SVC_ATTR_ADDR, sizeof(padded), &padded) < 0 ||
		nla_put_u16(request, IPVS_SVC_ATTR_PORT, htons(service->port)) < 0)
		return -EMSGSIZE;
	nla_nest_end(request, nested);
	return 0;
}

/* service: whose destinations are asked for; NULL when command asks for all services. */
static int request_send(
	struct ipvs *ipvs, uint8_t command, const struct ipvs_service *service, struct err *err)
{
	CLEANUP(cleanup_nlmsg_free) struct nl_msg *request = nlmsg_alloc();
	int r;

	if (!request ||
		!genlmsg_put(request, NL_AUTO_PORT, NL_AUTO_SEQ, ipvs->family, 0, NLM_F_DUMP,
			command, IPVS_GENL_VERSION) ||
		(service && service_put(request, service) < 0))
		return err_set(err, -ENOMEM, "asking the kernel's IPVS");
	r = nl_send_auto(ipvs->socket, request);
	if (r < 0)
		return err_set(err, -EIO, "asking the kernel's IPVS: %s", nl_geterror(r));
	return 0;
}

static int answer_receive(
	struct ipvs *ipvs, char *datagram, struct ipvs_table *table, struct err *err)
{
	bool is_done = false;

	while (!is_done) {
		ssize_t got = recv(
			nl_socket_get_fd(ipvs->socket), datagram, DATAGRAM_MAX_BYTES, MSG_TRUNC);
		int r;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_set_errno(err, errno == EAGAIN ? -ETIMEDOUT : -errno,
				"waiting for the kernel's IPVS");
		if (got > DATAGRAM_MAX_BYTES)
			return err_set(
				err, -EMSGSIZE, "the kernel's IPVS sent %zd bytes at once", got);
		r = ipvs_table_parse(table, datagram, (size_t)got, &is_done, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int tables_read(struct ipvs *ipvs, char *datagram, struct ipvs_table *table, struct err *err)
{
	int r = request_send(ipvs, IPVS_CMD_GET_SERVICE, NULL, err);

	if (r == 0)
		r = answer_receive(ipvs, datagram, table, err);
	for (size_t i = 0; r == 0 && i < table->service_count; i++) {
		struct ipvs_service *service = &table->services[i];

		service->first_destination = table->destination_count;
		r = request_send(ipvs, IPVS_CMD_GET_DEST, service, err);
		if (r == 0)
			r = answer_receive(ipvs, datagram, table, err);
		service->destination_count = table->destination_count - service->first_destination;
	}
	return r;
}

int ipvs_query(struct ipvs *ipvs, int timeout_ms, struct ipvs_table *ret_table, struct err *err)
{
	cleanup_ipvs_table struct ipvs_table table = IPVS_TABLE_INIT;
	cleanup_free char *datagram = xcalloc(1, DATAGRAM_MAX_BYTES);
	int r;

	leftovers_drop(ipvs, datagram);
	r = timeout_set(ipvs, timeout_ms, err);
	if (r == 0)
		r = family_find(ipvs, err);
	if (r < 0)
		return r;
	r = tables_read(ipvs, datagram, &table, err);
	if (r < 0) {
		/* The module may have gone, and its number with it. */
		ipvs->family = 0;
		return r;
	}
	*ret_table = table;
	table = IPVS_TABLE_INIT;
	return 0;
}

int ipvs_query_namespace(const char *network_namespace, int timeout_ms,
	struct ipvs_table *ret_table, struct err *err)
{
	cleanup_network_namespace struct network_namespace_stay stay = NETWORK_NAMESPACE_STAY_NONE;
	cleanup_ipvs struct ipvs *ipvs = NULL;
	struct err failure = ERR_NONE;
	int r = network_namespace_enter(network_namespace, &stay, &failure);

	if (r == 0)
		r = ipvs_open(&ipvs, &failure);
	if (r == 0)
		r = ipvs_query(ipvs, timeout_ms, ret_table, &failure);
	return r < 0 && r != -ENOENT ? err_set(err, r, "%s", failure.text) : 0;
}
