/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way out to a scraper: what its socket does not take at once is kept until it does. Owned by a
 * scrape. Used by the Prometheus proxy.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

struct outlet {
	int fd;
	char *unsent; /* NULL: everything was sent */
	size_t unsent_size_bytes;
	size_t sent_bytes; /* of these */
};

/* fd, which does not block, becomes the outlet's. */
#define OUTLET_INIT(socket_fd) ((struct outlet){.fd = (socket_fd)})

void outlet_deinit(struct outlet *outlet);

enum { OUTLET_PARTS_MAX = 4 };

/*
 * Sends the parts one behind the other; nothing may be unsent. 1: all is sent; 0: the rest waits
 * for outlet_flush(); negative errno: the scraper is gone.
 */
int outlet_send(struct outlet *outlet, const struct iovec *parts, size_t part_count);
/* Goes on with the rest, once the socket is writable. The same results. */
int outlet_flush(struct outlet *outlet);

/* Says that nothing follows. */
void outlet_finish(struct outlet *outlet);
/* Whether the scraper has closed its side; what it still says is thrown away. */
bool outlet_is_closed(struct outlet *outlet);
/* Makes the end of the connection, which is to follow, one that no scraper takes for orderly. */
void outlet_break(struct outlet *outlet);
