/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pair of amphorae of a load balancer with topology ACTIVE_STANDBY, and how they agree on who
 * has the VIPs (model.md, "The JSON"). Plain checked values; their load balancer owns them. Used by
 * the agent and amphoractl.
 */
#pragma once

#include <stddef.h>

#include "base/address.h"
#include "base/id.h"
#include "model/vip.h"

/* One of the pair. */
struct amphora {
	struct id id;
	struct address vrrp_ip;
	unsigned vrrp_priority; /* 1-255 */
	char *vrrp_interface;   /* "eth1" */
};

struct vrrp_group {
	char *group_name;
	unsigned virtual_router_id; /* 1-255 */
	const char *auth_type;      /* "PASS" or "AH"; static */
	char *auth_pass;            /* a secret */
	unsigned advert_int_s;
};

struct reader;
struct reader_list;

/*
 * Reads the pair, the caller's to free with its amphorae; faults, also when it is not a pair, go to
 * the list's. ret_count is how many there are, faults or not.
 */
void amphorae_parse(struct reader_list *list, const struct vip *vips, size_t vip_count,
	struct amphora **ret_amphorae, size_t *ret_count);
void amphora_deinit(struct amphora *amphora);
/*
 * Reads "vrrp"; faults, which never quote the secret, go to the reader's. Without a group_name it
 * is called as Octavia calls it: the load balancer's id without its dashes.
 */
void vrrp_group_parse(
	struct reader *reader, const struct id *load_balancer_id, struct vrrp_group *ret_group);
void vrrp_group_deinit(struct vrrp_group *group);
