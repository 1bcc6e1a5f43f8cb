/* SPDX-License-Identifier: Apache-2.0 */
#include "net/namespace.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/text.h"
#include "net/allow_list.h"
#include "net/interface.h"
#include "net/masquerade.h"
#include "sys/netlink.h"
#include "sys/network_namespace.h"
#include "sys/process.h"
#include "sys/sysctl.h"

enum { CHILD_TIMEOUT_MS = 10 * 1000, CHILD_OUTPUT_MAX_BYTES = 64 * KIB };

struct sysctl {
	const char *name;
	const char *value;
};

/* amphora-api.md, "The namespace"; net/ipv4/vs only where the kernel has ip_vs. */
static const struct sysctl inner_sysctls[] = {
	{"net/ipv4/ip_forward", "1"},
	{"net/ipv6/conf/all/forwarding", "1"},
	{"net/ipv4/ip_nonlocal_bind", "1"},
	{"net/ipv6/ip_nonlocal_bind", "1"},
	{"net/ipv4/ping_group_range", "0 2147483647"},
	{"net/ipv4/vs/conntrack", "1"},
	{"net/ipv4/vs/expire_nodest_conn", "1"},
	{"net/ipv4/vs/expire_quiescent_template", "1"},
};

/* The machine's, taken over by every namespace; only its first namespace may set them. */
static const struct sysctl outer_sysctls[] = {
	{"net/netfilter/nf_conntrack_buckets", "125000"},
	{"net/netfilter/nf_conntrack_max", "125000"},
	{"net/netfilter/nf_conntrack_expect_max", "488"},
};

static void sysctls_set(const struct sysctl *sysctls, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct err err = ERR_NONE;
		int r = sysctl_set(sysctls[i].name, sysctls[i].value, &err);

		if (r == -ENOENT)
			log_debug("%s", err.text);
		else if (r < 0)
			log_warning("%s", err.text);
	}
}

/* A program whose absence, or failure, is nothing to stop for. */
static void program_try(const char *const *argv)
{
	const struct process_spec spec = {.argv = argv};
	cleanup_buf struct buf output = BUF_INIT(CHILD_OUTPUT_MAX_BYTES);
	struct err err = ERR_NONE;
	int status;

	if (process_run(&spec, CHILD_TIMEOUT_MS, &output, &status, &err) < 0)
		log_debug("%s", err.text);
	else if (status != 0)
		log_debug("%s: exit status %d: %s", argv[0], status, buf_text(&output));
}

/*
 * Its sysctls appear with it, in this namespace and in those to come. Asked for once a process,
 * also where the namespace is there already. The caller holds the site's lock.
 */
static void ip_vs_load(void)
{
	static const char *const load_ip_vs[] = {"modprobe", "-q", "ip_vs", NULL};
	static bool was_tried;

	if (!was_tried && !sysctl_exists("net/ipv4/vs"))
		program_try(load_ip_vs);
	was_tried = true;
}

static struct interface_description loopback(void)
{
	struct interface_description description = {.name = "lo", .type = INTERFACE_LO};
	struct described_address address = {.prefix_length = 8, .is_ours = true};

	address.address.family = AF_INET;
	address.address.v4.s_addr = htonl(INADDR_LOOPBACK);
	description_add_address(&description, &address);
	return description;
}

/*
 * As its file says, which is written if there is none. A full disk is no reason to keep HAProxy
 * from its network.
 */
static int loopback_up(const struct net_site *site, struct err *err)
{
	CLEANUP(description_deinit) struct interface_description description = {0};
	struct err problem = ERR_NONE;
	int r = description_load(site->interfaces_dir, "lo", &description, &problem);

	if (r < 0 && r != -ENOENT)
		log_warning("%s; it gets 127.0.0.1 alone", problem.text);
	if (r < 0)
		description = loopback();
	if (r == -ENOENT && description_store(site->interfaces_dir, &description, &problem) < 0)
		log_warning("describing interface lo: %s", problem.text);
	return interface_up(&description, NULL, err);
}

/* What holds in the namespace, in which the calling thread is. */
static int inside_ensure(const struct net_site *site, struct err *err)
{
	sysctls_set(inner_sysctls, sizeof(inner_sysctls) / sizeof(inner_sysctls[0]));
	return loopback_up(site, err);
}

/*
 * The system's own sysctl files hold for a new namespace as well, before our values. Only net.* is
 * a namespace's: the rest is the machine's, and was set when it booted. The order matters: --system
 * is carried out when it is read.
 */
static int inside_prepare(const void *context, struct err *err)
{
	static const char *const load_system_sysctls[] = {
		"sysctl", "--quiet", "--pattern", "^net[./]", "--system", NULL};

	program_try(load_system_sysctls);
	return inside_ensure(context, err);
}

int namespace_ensure(const struct net_site *site, struct err *err)
{
	cleanup_network_namespace struct network_namespace_stay stay = NETWORK_NAMESPACE_STAY_NONE;
	const char *name = site->network_namespace;
	bool made = false;
	int r = 0;

	if (!net_site_has_namespace(site))
		return 0;
	ip_vs_load();
	if (!network_namespace_exists(name)) {
		sysctls_set(outer_sysctls, sizeof(outer_sysctls) / sizeof(outer_sysctls[0]));
		r = network_namespace_make(name, inside_prepare, site, &made, err);
	}
	if (made)
		log_info("network namespace %s made", name);
	if (r < 0 || made)
		return r;
	r = network_namespace_enter(name, &stay, err);
	if (r == 0)
		r = inside_ensure(site, err);
	return r < 0 ? err_wrap(err, r, "network namespace %s", name) : 0;
}

/*
 * Whether it is in the namespace already. -EEXIST when that is not as it should be: the kernel
 * would move an interface whose name is taken there, and only then refuse to call it so.
 */
static int find_inside(const struct net_site *site, const struct mac *mac, const char *name,
	bool *ret_is_inside, struct err *err)
{
	cleanup_network_namespace struct network_namespace_stay stay = NETWORK_NAMESPACE_STAY_NONE;
	cleanup_netlink struct netlink *netlink = NULL;
	cleanup_free struct netlink_link *links = NULL;
	size_t count;
	int r = network_namespace_enter(site->network_namespace, &stay, err);

	if (r == 0)
		r = netlink_open(&netlink, err);
	if (r == 0)
		r = netlink_links(netlink, &links, &count, err);
	if (r < 0)
		return r;
	*ret_is_inside = false;
	for (size_t i = 0; i < count; i++) {
		bool is_it = mac_equal(&links[i].mac, mac);

		if (is_it && !text_equal(links[i].name, name))
			return err_set(err, -EEXIST, "it is called %s there", links[i].name);
		if (!is_it && text_equal(links[i].name, name))
			return err_set(err, -EEXIST, "another interface has that name there");
		*ret_is_inside |= is_it;
	}
	return 0;
}

static int move_inside(
	const struct net_site *site, const struct mac *mac, const char *name, struct err *err)
{
	cleanup_netlink struct netlink *netlink = NULL;
	cleanup_close int inside = -1;
	struct netlink_link link;
	int r = network_namespace_open(site->network_namespace, &inside, err);

	if (r == 0)
		r = netlink_open(&netlink, err);
	if (r == 0)
		r = netlink_find_mac(netlink, mac, &link, err);
	if (r == 0)
		r = netlink_link_move(netlink, link.index, inside, name, err);
	if (r == 0)
		log_info("interface %s moved into network namespace %s as %s", link.name,
			site->network_namespace, name);
	return r;
}

int namespace_take(
	const struct net_site *site, const struct mac *mac, const char *name, struct err *err)
{
	char text[MAC_TEXT_MAX];
	bool is_inside;
	int r = find_inside(site, mac, name, &is_inside, err);

	if (r == 0 && !is_inside) {
		r = net_site_has_namespace(site)
			    ? move_inside(site, mac, name, err)
			    : err_set(err, -ENODEV, "there is no such interface");
	}
	mac_format(mac, text);
	return r < 0 ? err_wrap(err, r, "interface %s, to be %s", text, name) : 0;
}

int namespace_interface_up(const struct net_site *site,
	const struct interface_description *description, bool *ret_changed, struct err *err)
{
	cleanup_network_namespace struct network_namespace_stay stay = NETWORK_NAMESPACE_STAY_NONE;
	int r = description->is_sriov ? allow_list_enforce(site, err) : 0;

	if (r == 0)
		r = network_namespace_enter(site->network_namespace, &stay, err);
	if (r == 0)
		r = interface_up(description, ret_changed, err);
	if (r == 0 && description->type != INTERFACE_LO)
		r = masquerade_add(description, err);
	return r;
}

int namespace_interface_down(const struct net_site *site,
	const struct interface_description *description, struct err *err)
{
	cleanup_network_namespace struct network_namespace_stay stay = NETWORK_NAMESPACE_STAY_NONE;
	int r = network_namespace_enter(site->network_namespace, &stay, err);

	if (r == 0)
		r = interface_down(description, err);
	if (r == 0 && description->type != INTERFACE_LO)
		r = masquerade_remove(description, err);
	return r;
}
