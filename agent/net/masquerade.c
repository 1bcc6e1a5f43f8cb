/* SPDX-License-Identifier: Apache-2.0 */
#include "net/masquerade.h"

#include <ctype.h>
#include <errno.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "sys/nftables.h"

enum { COMMANDS_MAX_BYTES = 8 * KIB };

/*
 * Tables and chains have the names that the reference agent gave them (lvs-masquerade.sh): people
 * look for those. Which interfaces the rules are about stands in sets, so that adding one twice, or
 * removing one, never touches the others.
 */
static const struct family {
	int family;
	const char *protocol; /* nft's word for the family, and the start of the chains' names */
	const char *table;
} families[] = {
	{AF_INET, "ip", "octavia-ipv4"},
	{AF_INET6, "ip6", "octavia-ipv6"},
};
enum { FAMILIES = sizeof(families) / sizeof(families[0]) };

/* `flush table` takes the rules of an earlier time away, but neither chains nor sets. */
static void append_table(struct buf *commands, const struct family *family)
{
	buf_append_format(commands,
		"table %1$s %2$s {\n"
		"	set masqueraded { type ifname; }\n"
		"	set untracked { type ifname; }\n"
		"	chain %1$s-udp-masq { type nat hook postrouting priority srcnat; }\n"
		"	chain %1$s-sctp-masq { type nat hook postrouting priority srcnat; }\n"
		"	chain prerouting { type filter hook prerouting priority raw; }\n"
		"	chain output { type filter hook output priority raw; }\n"
		"}\n"
		"flush table %1$s %2$s\n"
		"table %1$s %2$s {\n"
		"	chain %1$s-udp-masq { oifname @masqueraded meta l4proto udp masquerade; }\n"
		"	chain %1$s-sctp-masq { oifname @masqueraded meta l4proto sctp masquerade; "
		"}\n"
		"	chain prerouting { iifname @untracked meta l4proto tcp notrack; }\n"
		"	chain output { oifname @untracked meta l4proto tcp notrack; }\n"
		"}\n",
		family->protocol, family->table);
}

static void append_element(struct buf *commands, const struct family *family, const char *set,
	const char *interface, bool is_in)
{
	buf_append_format(commands, "add element %s %s %s { \"%s\" }\n", family->protocol,
		family->table, set, interface);
	/* nft refuses to delete what is not there: in one transaction it is added first. */
	if (!is_in)
		buf_append_format(commands, "delete element %s %s %s { \"%s\" }\n",
			family->protocol, family->table, set, interface);
}

/* The kernel lets an interface be called nearly anything, nft's own characters included. */
static int name_check(const char *name, struct err *err)
{
	for (const char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '-' && *c != '_' && *c != '.')
			return err_set(err, -EINVAL,
				"masquerading: interface '%s': only letters, digits and .-_ may be "
				"in its name",
				name);
	return 0;
}

static int commands_run(const struct buf *commands, const char *interface, struct err *err)
{
	int r = buf_error(commands);

	if (r < 0)
		return err_set(err, r, "masquerading of %s: too long a text", interface);
	r = nftables_run(buf_text(commands), err);
	if (r < 0)
		return err_wrap(err, r, "masquerading of %s", interface);
	return 0;
}

int masquerade_add(const struct interface_description *description, struct err *err)
{
	cleanup_buf struct buf commands = BUF_INIT(COMMANDS_MAX_BYTES);
	int r = name_check(description->name, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < FAMILIES; i++) {
		if (!description_has_family(description, families[i].family))
			continue;
		append_table(&commands, &families[i]);
		append_element(&commands, &families[i], "masqueraded", description->name, true);
		/* The allow-list of an SR-IOV interface goes by connections. */
		append_element(&commands, &families[i], "untracked", description->name,
			!description->is_sriov);
	}
	return commands_run(&commands, description->name, err);
}

int masquerade_remove(const struct interface_description *description, struct err *err)
{
	cleanup_buf struct buf commands = BUF_INIT(COMMANDS_MAX_BYTES);
	int r = name_check(description->name, err);

	if (r < 0)
		return r;
	/* Both families, whatever it is described with by now. */
	for (size_t i = 0; i < FAMILIES; i++) {
		append_table(&commands, &families[i]);
		append_element(&commands, &families[i], "masqueraded", description->name, false);
		append_element(&commands, &families[i], "untracked", description->name, false);
	}
	return commands_run(&commands, description->name, err);
}
