/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The description of an interface: what it ought to be, in the reference agent's JSON form, one
 * file an interface (amphora-api.md, "Plugging";
 * octavia/amphorae/backends/utils/interface_file.py). What an interface *is* never comes in here. A
 * plain value that owns its arrays. Pure but for what takes a folder. Used by the agent and
 * amphora-interface.
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/cidr.h"
#include "base/err.h"

enum interface_type { INTERFACE_VIP, INTERFACE_BACKEND, INTERFACE_LO };

struct described_address {
	struct address address;
	unsigned prefix_length;
	bool is_ours; /* octavia_owned; false: keepalived puts it on and takes it off */
};

enum { ROUTE_TABLE_MAIN = 254, ROUTE_TABLE_VIP = 1 };

struct described_route {
	struct cidr destination; /* 0.0.0.0/0 and ::/0: default */
	bool has_gateway;
	struct address gateway; /* on link, whatever the addresses say */
	bool has_source;
	struct address source; /* prefsrc */
	bool is_link_scope;
	unsigned table;
};

/* From source, look into table. */
struct described_rule {
	struct cidr source;
	unsigned table;
};

struct interface_description {
	char name[IFNAMSIZ];
	enum interface_type type;
	unsigned mtu_bytes; /* 0: as it is */
	bool is_sriov;
	bool wants_dhcp;  /* IPv4 */
	bool wants_slaac; /* IPv6 */
	struct described_address *addresses;
	size_t address_count;
	struct described_route *routes;
	size_t route_count;
	struct described_rule *rules;
	size_t rule_count;
};

/*
 * Whether it can be an interface's, and so a file's: what the kernel takes, and no control
 * characters.
 */
bool description_name_is_valid(const char *name);

/*
 * Appends; an equal one that is there already is not doubled. Of two routes to one destination in
 * one table the first wins, as in the kernel.
 */
void description_add_address(
	struct interface_description *description, const struct described_address *address);
void description_add_route(
	struct interface_description *description, const struct described_route *route);
void description_add_rule(
	struct interface_description *description, const struct described_rule *rule);
void description_deinit(struct interface_description *description);

/* Whether it has, or will get, addresses of the family: what its masquerading rules go by. */
bool description_has_family(const struct interface_description *description, int family);

bool description_equal(
	const struct interface_description *a, const struct interface_description *b);

/*
 * The JSON text of the interface called name. What the Python agent wrote is read as well: unknown
 * keys and its `scripts` are passed over, files of releases before `if_type` take eth1 for the
 * VIP's. -EINVAL with key and reason; *ret_description is untouched on failure. A route that cannot
 * be read is logged and left out: users write them, and no interface stays down for one.
 */
int description_parse(const char *json, size_t size_bytes, const char *name,
	struct interface_description *ret_description, struct err *err);
/* The text, the caller's to free(). */
char *description_format(const struct interface_description *description);

/* The same for DIR/NAME.json: -ENOENT; -EINVAL with file, key and reason. */
int description_load(const char *folder, const char *name,
	struct interface_description *ret_description, struct err *err);
/* Mode 0644; makes the folder. Durable. */
int description_store(
	const char *folder, const struct interface_description *description, struct err *err);

struct interface_name {
	char text[IFNAMSIZ];
};

/*
 * The names that have a file, sorted, `lo` first: the caller's to free(). A folder that is not
 * there has none.
 */
int description_names(
	const char *folder, struct interface_name **ret_names, size_t *ret_count, struct err *err);
