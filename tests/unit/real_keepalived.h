/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests with a real keepalived: a site of its own under a fresh folder with the direct service
 * manager, in a throw-away namespace with an interface eth1, and configs as controllers send them.
 * Include it behind cmocka.h.
 */
#pragma once

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "keepalived/site.h"
#include "sys/process.h"
#include "sys/service.h"
#include "eventually.h"
#include "temporary_folder.h"

#define VIP "198.51.100.13"

static char namespace_name[64];
static struct settings settings;
static struct service_manager *services;
static struct keepalived_site *site;

/* Runs ip(8) in the namespace; true when it says fine. Its words are appended to ret_output. */
static inline bool ip_run(struct buf *ret_output, const char *const *arguments)
{
	const char *argv[24] = {"ip", "-n", namespace_name};
	const struct process_spec spec = {.argv = argv};
	cleanup_buf struct buf ignored = BUF_INIT(64 * KIB);
	int status;

	for (size_t i = 0; arguments[i]; i++)
		argv[3 + i] = arguments[i];
	return process_run(&spec, 60000, ret_output ? ret_output : &ignored, &status, NULL) == 0 &&
	       status == 0;
}
#define ip(...) assert_true(ip_run(NULL, (const char *const[]){__VA_ARGS__, NULL}))

static inline bool ip_shows(const char *object, const char *wanted)
{
	cleanup_buf struct buf output = BUF_INIT(64 * KIB);

	ip_run(&output, (const char *const[]){object, "show", NULL});
	return strstr(buf_text(&output), wanted);
}

static inline bool has_vip(void)
{
	return ip_shows("address", " " VIP "/32 ");
}

static inline void netns(const char *verb)
{
	const char *const argv[] = {"ip", "netns", verb, namespace_name, NULL};
	const struct process_spec spec = {.argv = argv};
	cleanup_buf struct buf output = BUF_INIT(KIB);
	int status;

	assert_int_equal(process_run(&spec, 60000, &output, &status, NULL), 0);
	assert_int_equal(status, 0);
}

static inline void site_make(void)
{
	struct err err = ERR_NONE;

	if (service_manager_new_direct(settings.runtime_dir, &services, &err) < 0 ||
		keepalived_site_new(&settings, services, &site, &err) < 0)
		fail_msg("%s", err.text);
}

/* As an agent's end does: what runs goes on running. */
static inline void site_drop(void)
{
	keepalived_site_free(site);
	service_manager_free(services);
}

static inline int keepalived_setup(void **state)
{
	static unsigned count;

	if (temporary_folder_setup(state) < 0)
		return -1;
	settings = (struct settings){
		.base_path = temporary_folder,
		.runtime_dir = in_temporary_folder("run"),
		.network_namespace = namespace_name,
		.keepalived_cmd = "/usr/sbin/keepalived",
		.administrative_log_facility = 1,
	};
	snprintf(
		namespace_name, sizeof(namespace_name), "unit-keepalived-%d-%u", getpid(), ++count);
	netns("add");
	ip("link", "add", "eth1", "type", "veth", "peer", "name", "other");
	ip("address", "add", "198.51.100.15/24", "dev", "eth1");
	ip("address", "add", "2001:db8::15/64", "dev", "eth1", "nodad");
	ip("link", "set", "eth1", "up");
	ip("link", "set", "other", "up");
	site_make();
	return 0;
}

static inline int keepalived_teardown(void **state)
{
	site_drop();
	netns("delete");
	free(settings.runtime_dir);
	return temporary_folder_teardown(state);
}

#define with_keepalived(test)                                                                      \
	cmocka_unit_test_setup_teardown(test, keepalived_setup, keepalived_teardown)

/* As a controller's, of the newest form, but that nobody else is waited for. */
static const char vrrp_config[] =
	"vrrp_script check_script {\n"
	"    script /bin/true\n"
	"    interval 5\n"
	"    fall 2\n"
	"    rise 2\n"
	"}\n"
	"\n"
	"vrrp_instance 160e170568ed4f7fbcc744176f8d0b8e {\n"
	"    interface eth1\n"
	"    virtual_router_id 1\n"
	"    priority 200\n"
	"    nopreempt\n"
	"    accept\n"
	"    garp_master_refresh 5\n"
	"    garp_master_refresh_repeat 2\n"
	"    advert_int 1\n"
	"    authentication {\n"
	"        auth_type PASS\n"
	"        auth_pass b5e00e6\n"
	"    }\n"
	"\n"
	"    unicast_src_ip 198.51.100.15\n"
	"    unicast_peer {\n"
	"        198.51.100.16\n"
	"    }\n"
	"\n"
	"    virtual_ipaddress {\n"
	"        " VIP "\n"
	"    }\n"
	"\n"
	"    virtual_ipaddress_excluded {\n"
	"    }\n"
	"\n"
	"    virtual_routes {\n"
	"        198.51.100.0/24 dev eth1 src " VIP " scope link table 1\n"
	"        default via 198.51.100.254 dev eth1 onlink table 1\n"
	"        233.252.0.0/24 dev eth1 gateway 198.51.100.253 onlink table 1\n"
	"    }\n"
	"\n"
	"    virtual_rules {\n"
	"        from " VIP "/32 table 1 priority 100\n"
	"    }\n"
	"\n"
	"    track_script {\n"
	"        check_script\n"
	"    }\n"
	"}\n";

/* The config with one part of it, which must be there, replaced; the caller frees it. */
static inline char *config_with(const char *part, const char *replacement)
{
	const char *at = strstr(vrrp_config, part);

	assert_non_null(at);
	return xformat(
		"%.*s%s%s", (int)(at - vrrp_config), vrrp_config, replacement, at + strlen(part));
}
