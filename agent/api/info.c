/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <unistd.h>

#include "api/agent.h"
#include "api/handlers.h"
#include "api/reply.h"
#include "base/alloc.h"
#include "haproxy/config.h"
#include "haproxy/instance.h"
#include "lvs/instance.h"
#include "lvs/site.h"
#include "sys/package.h"
#include "sys/procfs.h"
#include "sys/tuned.h"

enum { HOSTNAME_MAX = 256 };

static const char api_version[] = "1.0";

void version_get(const struct call *call, struct http_reply *ret_reply)
{
	(void)call;
	reply_json(ret_reply, 200, json_pack("{s:s}", "api_version", api_version));
}

/* What info and details share. */
static json_t *versions(const struct haproxy_site *site)
{
	char hostname[HOSTNAME_MAX] = "";
	struct package_version haproxy;
	struct package_version keepalived;
	struct package_version ipvsadm;

	gethostname(hostname, sizeof(hostname) - 1);
	package_haproxy_version(site->haproxy_cmd, &haproxy);
	package_version("keepalived", &keepalived);
	package_version("ipvsadm", &ipvsadm);
	return json_pack("{s:s, s:s, s:s, s:s, s:s}", "hostname", hostname, "haproxy_version",
		haproxy.text, "api_version", api_version, "keepalived_version", keepalived.text,
		"ipvsadm_version", ipvsadm.text);
}

void info_get(const struct call *call, struct http_reply *ret_reply)
{
	reply_json(ret_reply, 200, versions(agent_haproxy(call->agent)));
}

static json_t *json_u64(uint64_t value)
{
	return json_integer((json_int_t)value);
}

/* The reference gives all but total as strings, and controllers may count on it. */
static json_t *json_u64_text(uint64_t value)
{
	return json_sprintf("%llu", (unsigned long long)value);
}

static int cpu_append(json_t *details, struct err *err)
{
	struct procfs_cpu cpu;
	int r = procfs_read_cpu(&cpu, err);

	if (r < 0)
		return r;
	json_object_set_new(details, "cpu_count", json_integer(procfs_cpu_count()));
	json_object_set_new(details, "cpu",
		json_pack("{s:o, s:o, s:o, s:o}", "total", json_u64(cpu.total_jiffies), "user",
			json_u64_text(cpu.user_jiffies), "system",
			json_u64_text(cpu.system_jiffies), "soft_irq",
			json_u64_text(cpu.soft_irq_jiffies)));
	return 0;
}

static int memory_append(json_t *details, struct err *err)
{
	struct procfs_memory memory;
	int r = procfs_read_memory(&memory, err);

	if (r < 0)
		return r;
	json_object_set_new(details, "memory",
		json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "total", json_u64(memory.total_kb),
			"free", json_u64(memory.free_kb), "buffers", json_u64(memory.buffers_kb),
			"cached", json_u64(memory.cached_kb), "swap_used",
			json_u64(memory.swap_used_kb), "shared", json_u64(memory.shared_kb), "slab",
			json_u64(memory.slab_kb)));
	return 0;
}

static int disk_append(json_t *details, struct err *err)
{
	struct procfs_disk disk;
	int r = procfs_read_disk("/", &disk, err);

	if (r < 0)
		return r;
	json_object_set_new(details, "disk",
		json_pack("{s:o, s:o}", "used", json_u64(disk.used_bytes), "available",
			json_u64(disk.available_bytes)));
	return 0;
}

static int load_append(json_t *details, struct err *err)
{
	struct procfs_load load;
	int r = procfs_read_load(&load, err);

	if (r < 0)
		return r;
	json_object_set_new(
		details, "load", json_pack("[s, s, s]", load.text[0], load.text[1], load.text[2]));
	return 0;
}

/* A namespace that is not there (nothing was plugged yet) has no interfaces. */
static void networks_append(json_t *details, const struct haproxy_site *site)
{
	struct procfs_interfaces interfaces = {0};
	json_t *networks = json_object();

	procfs_read_interfaces(site->network_namespace, "eth", &interfaces, NULL);
	for (size_t i = 0; i < interfaces.count; i++)
		json_object_set_new(networks, interfaces.items[i].name,
			json_pack("{s:o, s:o}", "network_tx",
				json_u64(interfaces.items[i].tx_bytes), "network_rx",
				json_u64(interfaces.items[i].rx_bytes)));
	procfs_interfaces_deinit(&interfaces);
	json_object_set_new(details, "networks", networks);
}

/* Controllers count on a string, also where there is no TuneD. */
static void tuned_append(json_t *details)
{
	struct tuned_profiles profiles;

	tuned_read_profiles(&profiles);
	json_object_set_new(details, "active_tuned_profiles", json_string(profiles.text));
}

static int text_compare(const void *a, const void *b)
{
	return strcmp(
		json_string_value(*(json_t *const *)a), json_string_value(*(json_t *const *)b));
}

static json_t *sorted(json_t *texts)
{
	size_t count = json_array_size(texts);
	cleanup_free json_t **items = xcalloc(count + 1, sizeof(*items));
	json_t *result = json_array();

	for (size_t i = 0; i < count; i++)
		items[i] = json_array_get(texts, i);
	qsort(items, count, sizeof(*items), text_compare);
	for (size_t i = 0; i < count; i++)
		json_array_append(result, items[i]);
	json_decref(texts);
	return result;
}

/* The listeners of one load balancer whose HAProxy runs; true if it does. */
static bool running_append(json_t *listeners, struct haproxy_site *site, const struct id *id)
{
	cleanup_buf struct buf text = BUF_INIT(HAPROXY_CONFIG_MAX_BYTES);
	struct haproxy_config config;

	if (!haproxy_instance_is_running(site, id))
		return false;
	if (haproxy_instance_read(site, id, &text, NULL) < 0)
		return true;
	haproxy_config_parse(buf_text(&text), text.size_bytes, &config);
	for (size_t i = 0; i < config.listener_count; i++)
		json_array_append_new(listeners, json_string(config.listeners[i].name));
	haproxy_config_deinit(&config);
	return true;
}

static int haproxy_append(
	json_t *details, json_t *listeners, struct haproxy_site *site, struct err *err)
{
	cleanup_free struct id *ids = NULL;
	size_t count;
	size_t running = 0;
	int r = haproxy_site_load_balancers(site, &ids, &count, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++)
		running += running_append(listeners, site, &ids[i]);
	json_object_set_new(details, "haproxy_count", json_u64(running));
	return 0;
}

/* The LVS listeners; a config makes one, whether it runs or not. */
static int lvs_append(
	json_t *details, json_t *listeners, const struct lvs_site *site, struct err *err)
{
	cleanup_free struct id *ids = NULL;
	size_t count = 0;
	size_t running = 0;
	int r = lvs_listeners(lvs_site_base_path(site), &ids, &count, err);

	for (size_t i = 0; i < count; i++) {
		json_array_append_new(listeners, json_string(ids[i].text));
		running += lvs_instance_is_running(site, &ids[i]);
	}
	json_object_set_new(details, "lvs_listener_process_count", json_u64(running));
	return r;
}

static int listeners_compile(json_t *details, struct agent *agent, struct err *err)
{
	json_t *listeners = json_array();
	int r = haproxy_append(details, listeners, agent_haproxy(agent), err);

	if (r == 0)
		r = lvs_append(details, listeners, agent_lvs(agent), err);
	json_object_set_new(details, "listeners", sorted(listeners));
	return r;
}

static int details_compile(json_t *details, struct agent *agent, struct err *err)
{
	int r = cpu_append(details, err);

	if (r == 0)
		r = memory_append(details, err);
	if (r == 0)
		r = disk_append(details, err);
	if (r == 0)
		r = load_append(details, err);
	if (r == 0)
		r = listeners_compile(details, agent, err);
	networks_append(details, agent_haproxy(agent));
	tuned_append(details);
	/* Constants that the reference reports and controllers show (amphora-api.md, "details"). */
	json_object_set_new(details, "active", json_true());
	json_object_set_new(details, "topology", json_string("SINGLE"));
	json_object_set_new(details, "topology_status", json_string("OK"));
	json_object_set_new(details, "packages", json_object());
	return r;
}

void details_get(const struct call *call, struct http_reply *ret_reply)
{
	json_t *details = versions(agent_haproxy(call->agent));
	struct err err = ERR_NONE;

	if (details_compile(details, call->agent, &err) < 0) {
		json_decref(details);
		reply_error(ret_reply, 500, "Error compiling details", err.text);
		return;
	}
	reply_json(ret_reply, 200, details);
}
