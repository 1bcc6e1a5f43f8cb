/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files by which systemd-networkd makes the network that the config drive describes, and leaves
 * alone every NIC that it does not: those are plugged later, and are moved into the amphora's
 * network namespace (systemd.network(5)). Used by amphora-config-drive.
 */
#pragma once

#include "base/buf.h"
#include "drive/network_data.h"
#include "drive/tree.h"

enum { NETWORKD_FILE_SIZE_MAX = 64 * KIB };

/* Appends the .network file of one NIC. */
void networkd_format_link(const struct network_link *link, struct buf *ret_text);
/* What a link's file leads to, in a few words for the log. */
void networkd_describe_link(const struct network_link *link, struct buf *ret_words);

/*
 * Writes a file for each link, in their order, and one that leaves the rest alone; removes those of
 * an earlier instance. Without links the first NIC asks by DHCP.
 */
int networkd_write(const struct tree *root, const struct network_data *network, struct err *err);
