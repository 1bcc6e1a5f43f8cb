/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine to plug interfaces into, for each test: a network namespace that the test's thread is
 * in, which plays the agent's own; a mount namespace with nothing in /run/netns and a file in place
 * of the PCI bus; and a site below a temporary folder. All gone with the test's process.
 */
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "net/site.h"
#include "temporary_folder.h"
#include "throw_away_network.h"

#define INSIDE     "amphora"
#define PCI_RESCAN "/sys/bus/pci/rescan"

static struct net_site *site;

static inline void site_make(const char *network_namespace)
{
	cleanup_free char *interfaces = in_temporary_folder("interfaces");
	cleanup_free char *base = in_temporary_folder("lib");
	cleanup_free char *runtime = in_temporary_folder("run");
	cleanup_free char *name = xstrdup(network_namespace);
	const struct settings settings = {.network_namespace = name,
		.agent_server_network_dir = interfaces,
		.base_path = base,
		.runtime_dir = runtime};

	net_site_free(site);
	if (net_site_new(&settings, &site, NULL) < 0)
		abort();
}

static inline void pci_bus_replace(void)
{
	cleanup_free char *rescan = in_temporary_folder("rescan");

	temporary_file("rescan", "");
	if (file_exists(PCI_RESCAN) && mount(rescan, PCI_RESCAN, NULL, MS_BIND, NULL) < 0)
		abort();
}

static inline int plug_case_setup(void **state)
{
	if (temporary_folder_setup(state) < 0)
		return -1;
	throw_away_network_setup(state);
	site_make(INSIDE);
	if (!may_make_namespaces)
		return 0;
	mkdir("/run/netns", 0755);
	if (unshare(CLONE_NEWNS) < 0 || mount("", "/", NULL, MS_PRIVATE | MS_REC, NULL) < 0 ||
		mount("tmpfs", "/run/netns", "tmpfs", 0, "mode=0755") < 0)
		return -1;
	pci_bus_replace();
	ip("link set lo up");
	return 0;
}

static inline int plug_case_teardown(void **state)
{
	net_site_free(site);
	site = NULL;
	if (may_make_namespaces) {
		umount2(PCI_RESCAN, MNT_DETACH);
		umount2("/run/netns", MNT_DETACH);
	}
	return temporary_folder_teardown(state);
}

/* A NIC appears, and its other end, which is up. */
static inline void nic_add(const char *name, const char *mac)
{
	ip("link add %s address %s type veth peer name %s-peer", name, mac, name);
	ip("link set %s-peer up", name);
}

/* What a file below the temporary folder holds, "" if there is none: the caller's to free. */
static inline char *content_of(const char *name)
{
	cleanup_free char *path = in_temporary_folder(name);
	cleanup_buf struct buf text = BUF_INIT(MIB);

	if (file_read(path, &text, NULL) < 0 || text.size_bytes == 0)
		return xstrdup("");
	return buf_take_text(&text);
}

#define assert_content(name, expected)                                                             \
	do {                                                                                       \
		cleanup_free char *content_ = content_of(name);                                    \
		assert_string_equal(content_, expected);                                           \
	} while (0)

#define plug_case(test) cmocka_unit_test_setup_teardown(test, plug_case_setup, plug_case_teardown)
