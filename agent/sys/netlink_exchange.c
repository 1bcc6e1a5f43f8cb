/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/netlink_exchange.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/handlers.h>
#include <netlink/netlink.h>

#include "base/alloc.h"
#include "sys/netlink.h"

/*
 * The kernel answers at once, unless somebody holds its lock on the network configuration; more
 * than this is an error. A list that never comes whole in ASK_TRIES changes too fast to be told.
 */
enum { ANSWER_TIMEOUT_S = 10, ASK_TRIES = 20 };

DEFINE_CLEANUP(struct nl_cb *, nl_cb_put);

struct exchange {
	struct netlink *netlink;
	void (*read)(const struct nlmsghdr *message, struct netlink_list *list);
	struct netlink_list *list;
	bool is_over;
	bool was_interrupted;
	int result;
};

/* What the kernel knows of: without its words and its own filtering we can do. */
static void socket_set_options(int fd)
{
	static const int options[] = {NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK};
	struct timeval timeout = {.tv_sec = ANSWER_TIMEOUT_S};
	int on = 1;

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		(void)setsockopt(fd, SOL_NETLINK, options[i], &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
}

int netlink_open(struct netlink **ret_netlink, struct err *err)
{
	cleanup_netlink struct netlink *netlink = xcalloc(1, sizeof(*netlink));
	int r;

	netlink->socket = nl_socket_alloc();
	if (!netlink->socket)
		return err_set_errno(err, -ENOMEM, "opening a netlink socket");
	r = nl_connect(netlink->socket, NETLINK_ROUTE);
	if (r < 0)
		return err_set(err, -EIO, "opening a netlink socket: %s", nl_geterror(r));
	socket_set_options(nl_socket_get_fd(netlink->socket));
	*ret_netlink = take_ptr(netlink);
	return 0;
}

void netlink_close(struct netlink *netlink)
{
	if (!netlink)
		return;
	nl_socket_free(netlink->socket);
	free(netlink);
}

struct nl_msg *netlink_message(int type, int flags, const void *header, size_t size_bytes)
{
	struct nl_msg *message = nlmsg_alloc_simple(type, flags);

	/* Memory has run out; base/alloc.h says why that ends the program. */
	if (!message || nlmsg_append(message, (void *)header, size_bytes, NLMSG_ALIGNTO) < 0)
		abort();
	return message;
}

/* A message has room for a page, and ours are a handful of attributes. */
void netlink_put(struct nl_msg *message, int attribute, const void *data, size_t size_bytes)
{
	if (nla_put(message, attribute, (int)size_bytes, data) < 0)
		abort();
}

void netlink_put_u8(struct nl_msg *message, int attribute, uint8_t value)
{
	netlink_put(message, attribute, &value, sizeof(value));
}

void netlink_put_u32(struct nl_msg *message, int attribute, uint32_t value)
{
	netlink_put(message, attribute, &value, sizeof(value));
}

void netlink_put_text(struct nl_msg *message, int attribute, const char *text)
{
	netlink_put(message, attribute, text, strlen(text) + 1);
}

static size_t address_size_bytes(int family)
{
	return family == AF_INET6 ? sizeof(struct in6_addr) : sizeof(struct in_addr);
}

void netlink_put_address(struct nl_msg *message, int attribute, const struct address *address)
{
	netlink_put(message, attribute, &address->v6, address_size_bytes(address->family));
}

static int get(const struct nlattr *attribute, void *ret_value, size_t size_bytes)
{
	if (!attribute || (size_t)nla_len(attribute) != size_bytes)
		return -EBADMSG;
	memcpy(ret_value, nla_data(attribute), size_bytes);
	return 0;
}

int netlink_get_u8(const struct nlattr *attribute, uint8_t *ret_value)
{
	return get(attribute, ret_value, sizeof(*ret_value));
}

int netlink_get_u32(const struct nlattr *attribute, uint32_t *ret_value)
{
	return get(attribute, ret_value, sizeof(*ret_value));
}

int netlink_get_address(const struct nlattr *attribute, int family, struct address *ret_address)
{
	struct address address = {.family = family};
	int r = get(attribute, &address.v6, address_size_bytes(family));

	if (r == 0)
		*ret_address = address;
	return r;
}

void netlink_list_add(struct netlink_list *list, const void *item)
{
	if (list->count == list->capacity) {
		list->capacity = list->capacity ? list->capacity * 2 : 8;
		list->items = xrealloc_array(list->items, list->capacity, list->item_size_bytes);
	}
	memcpy((char *)list->items + list->count * list->item_size_bytes, item,
		list->item_size_bytes);
	list->count++;
}

void *netlink_list_take(struct netlink_list *list, size_t *ret_count)
{
	*ret_count = list->count;
	list->count = 0;
	list->capacity = 0;
	return take_ptr(list->items);
}

static int on_message(struct nl_msg *message, void *context)
{
	struct exchange *exchange = context;

	if (exchange->read)
		exchange->read(nlmsg_hdr(message), exchange->list);
	return NL_OK;
}

static int on_ack(struct nl_msg *message, void *context)
{
	struct exchange *exchange = context;

	(void)message;
	exchange->is_over = true;
	return NL_STOP;
}

/* The end of a list carries the error that ended it, if one did. */
static int on_list_end(struct nl_msg *message, void *context)
{
	const struct nlmsghdr *header = nlmsg_hdr(message);
	struct exchange *exchange = context;

	if (nlmsg_datalen(header) >= (int)sizeof(int))
		exchange->result = *(const int *)nlmsg_data(header);
	exchange->is_over = true;
	return NL_STOP;
}

static int on_list_change(struct nl_msg *message, void *context)
{
	struct exchange *exchange = context;

	(void)message;
	exchange->was_interrupted = true;
	return NL_OK;
}

/* The kernel's words are an attribute behind the error (NETLINK_EXT_ACK, NETLINK_CAP_ACK). */
static void reason_read(const struct nlmsgerr *error, char *ret_reason, size_t size_bytes)
{
	const char *start = (const char *)error - NLMSG_HDRLEN;
	const struct nlmsghdr *header = (const struct nlmsghdr *)start;
	struct nlattr *attributes[NLMSGERR_ATTR_MAX + 1];
	int left = (int)header->nlmsg_len - (int)NLMSG_SPACE(sizeof(*error));

	if (!(header->nlmsg_flags & NLM_F_ACK_TLVS) || !(header->nlmsg_flags & NLM_F_CAPPED))
		return;
	if (nla_parse(attributes, NLMSGERR_ATTR_MAX, (struct nlattr *)(error + 1), left, NULL) < 0)
		return;
	if (attributes[NLMSGERR_ATTR_MSG])
		nla_strlcpy(ret_reason, attributes[NLMSGERR_ATTR_MSG], size_bytes);
}

static int on_error(struct sockaddr_nl *sender, struct nlmsgerr *error, void *context)
{
	struct exchange *exchange = context;

	(void)sender;
	exchange->result = error->error;
	reason_read(error, exchange->netlink->reason, sizeof(exchange->netlink->reason));
	exchange->is_over = true;
	return NL_STOP;
}

static void callbacks_set(struct nl_cb *callbacks, struct exchange *exchange)
{
	nl_cb_set(callbacks, NL_CB_VALID, NL_CB_CUSTOM, on_message, exchange);
	nl_cb_set(callbacks, NL_CB_ACK, NL_CB_CUSTOM, on_ack, exchange);
	nl_cb_set(callbacks, NL_CB_FINISH, NL_CB_CUSTOM, on_list_end, exchange);
	nl_cb_set(callbacks, NL_CB_DUMP_INTR, NL_CB_CUSTOM, on_list_change, exchange);
	nl_cb_err(callbacks, NL_CB_CUSTOM, on_error, exchange);
}

/* For what libnl itself says; the kernel's errors come through on_error(). */
static int library_error(struct netlink *netlink, int code)
{
	snprintf(netlink->reason, sizeof(netlink->reason), "%s", nl_geterror(code));
	return code == -NLE_AGAIN ? -ETIMEDOUT : -EIO;
}

static int exchange_run(struct exchange *exchange, struct nl_msg *message)
{
	CLEANUP(cleanup_nl_cb_put) struct nl_cb *callbacks = nl_cb_alloc(NL_CB_DEFAULT);
	struct netlink *netlink = exchange->netlink;
	int r;

	if (!callbacks)
		return -ENOMEM;
	callbacks_set(callbacks, exchange);
	netlink->reason[0] = '\0';
	r = nl_send_auto(netlink->socket, message);
	while (r >= 0 && !exchange->is_over)
		r = nl_recvmsgs(netlink->socket, callbacks);
	return exchange->is_over ? exchange->result : library_error(netlink, r);
}

int netlink_change(struct netlink *netlink, struct nl_msg *message)
{
	struct exchange exchange = {.netlink = netlink};

	return exchange_run(&exchange, message);
}

int netlink_ask(struct netlink *netlink, struct nl_msg *message,
	void (*read)(const struct nlmsghdr *message, struct netlink_list *list),
	struct netlink_list *list)
{
	size_t count_before = list->count;

	for (int i = 0; i < ASK_TRIES; i++) {
		struct exchange exchange = {.netlink = netlink, .read = read, .list = list};
		int r = exchange_run(&exchange, message);

		if (r < 0 || !exchange.was_interrupted)
			return r;
		list->count = count_before;
		/* libnl numbers a message that has no number yet. */
		nlmsg_hdr(message)->nlmsg_seq = NL_AUTO_SEQ;
	}
	return -EAGAIN;
}

int netlink_err(const struct netlink *netlink, int code, struct err *err, const char *format, ...)
{
	char what[ERR_TEXT_MAX / 2];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	if (netlink->reason[0])
		return err_set(
			err, code, "%s: %s (%s)", what, strerrordesc_np(-code), netlink->reason);
	return err_set_errno(err, code, "%s", what);
}
