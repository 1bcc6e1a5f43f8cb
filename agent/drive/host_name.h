/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host name as RFC 1123 has it, and /etc/hosts, where keepalived finds the machine's own. A plain
 * value. Used by amphora-config-drive.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

enum { HOST_NAME_SIZE_MAX = 253, HOST_LABEL_SIZE_MAX = 63 };

struct host_name {
	char full[HOST_NAME_SIZE_MAX + 1];   /* "amphora-1.example.org" */
	char label[HOST_LABEL_SIZE_MAX + 1]; /* "amphora-1": what the machine is called */
};

/* -EINVAL with a text that says what a host name is. */
int host_name_parse(const char *text, struct host_name *ret_name, struct err *err);

/*
 * Appends the /etc/hosts that knows the name: old with the line of 127.0.1.1, Debian's place for
 * the machine's own name, replaced.
 */
void host_name_format_hosts(
	const struct host_name *name, const struct buf *old, struct buf *ret_hosts);
