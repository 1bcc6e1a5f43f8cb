/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the files of sys/netlink.h talk to the kernel: one message out, its answer in. The kernel's
 * errno is kept exactly, and so are the words that it has for it ("Invalid prefsrc address");
 * libnl's own calls for routes and addresses lose both. Used by sys/netlink*.c only.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <netlink/msg.h>
#include <netlink/socket.h>

#include "base/address.h"
#include "base/cleanup.h"
#include "base/err.h"

struct netlink {
	struct nl_sock *socket;
	char reason[160]; /* the words to the last error; "": none */
};

DEFINE_CLEANUP(struct nl_msg *, nlmsg_free);
#define cleanup_message CLEANUP(cleanup_nlmsg_free)

/* The message stays the caller's. Its fixed part is copied from header. */
struct nl_msg *netlink_message(int type, int flags, const void *header, size_t size_bytes);
void netlink_put(struct nl_msg *message, int attribute, const void *data, size_t size_bytes);
void netlink_put_u8(struct nl_msg *message, int attribute, uint8_t value);
void netlink_put_u32(struct nl_msg *message, int attribute, uint32_t value);
void netlink_put_text(struct nl_msg *message, int attribute, const char *text);
void netlink_put_address(struct nl_msg *message, int attribute, const struct address *address);

/* The value of an attribute; -EBADMSG when it is absent (NULL) or of another size. */
int netlink_get_u8(const struct nlattr *attribute, uint8_t *ret_value);
int netlink_get_u32(const struct nlattr *attribute, uint32_t *ret_value);
int netlink_get_address(const struct nlattr *attribute, int family, struct address *ret_address);

/* What an answer is collected in. */
struct netlink_list {
	void *items;
	size_t item_size_bytes;
	size_t count;
	size_t capacity;
	int index; /* of the link whose items are wanted; 0: of any */
};

#define NETLINK_LIST_INIT(type, link_index)                                                        \
	((struct netlink_list){.item_size_bytes = sizeof(type), .index = (link_index)})
static inline void netlink_list_deinit(const struct netlink_list *list)
{
	free(list->items);
}
#define cleanup_netlink_list CLEANUP(netlink_list_deinit)

/* Appends a copy. */
void netlink_list_add(struct netlink_list *list, const void *item);
/* The items become the caller's. */
void *netlink_list_take(struct netlink_list *list, size_t *ret_count);

/* A change; 0 when the kernel has confirmed it. */
int netlink_change(struct netlink *netlink, struct nl_msg *message);
/*
 * A question. read is called with each message of the answer and adds to the list what it finds;
 * it passes over what it does not know. An answer that changed under way is asked for again.
 */
int netlink_ask(struct netlink *netlink, struct nl_msg *message,
	void (*read)(const struct nlmsghdr *message, struct netlink_list *list),
	struct netlink_list *list);

/* err_set_errno() for what netlink_change() and netlink_ask() return, with the kernel's words. */
int netlink_err(const struct netlink *netlink, int code, struct err *err, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
