/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/settings_table.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/text.h"

enum { HOST_NAME_SIZE_MAX = 253, USER_NAME_SIZE_MAX = 32 };

static void *field_of(const struct settings_key *key, struct settings *settings)
{
	return (char *)settings + key->offset;
}

static bool has_control_character(const char *text)
{
	for (; *text; text++)
		if (iscntrl((unsigned char)*text))
			return true;
	return false;
}

static bool is_made_of(const char *text, const char *punctuation)
{
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && !strchr(punctuation, *text))
			return false;
	return true;
}

/* What oslo takes for a boolean. */
static int parse_boolean(
	const struct settings_key *key, const char *text, struct settings *settings)
{
	static const char *const words[][2] = {
		{"false", "true"}, {"no", "yes"}, {"off", "on"}, {"0", "1"}};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		for (int value = 0; value < 2; value++)
			if (text_equal_nocase(text, words[i][value])) {
				*(bool *)field_of(key, settings) = value;
				return 0;
			}
	return -EINVAL;
}

static int parse_number(const struct settings_key *key, const char *text, struct settings *settings)
{
	uint64_t value;

	if (text_parse_u64(text, key->min, key->max, &value) < 0)
		return -EINVAL;
	*(unsigned *)field_of(key, settings) = (unsigned)value;
	return 0;
}

static int parse_port(const struct settings_key *key, const char *text, struct settings *settings)
{
	uint64_t value;

	if (text_parse_u64(text, 0, UINT16_MAX, &value) < 0)
		return -EINVAL;
	*(uint16_t *)field_of(key, settings) = (uint16_t)value;
	return 0;
}

static int parse_text(const struct settings_key *key, const char *text, struct settings *settings)
{
	*(char **)field_of(key, settings) = xstrdup(text);
	return 0;
}

/* "/a/b/" is kept as "/a/b", so that what is put behind it reads well everywhere. */
static int parse_path(const struct settings_key *key, const char *text, struct settings *settings)
{
	size_t size = strlen(text);

	if (text[0] != '/' || size >= PATH_MAX || has_control_character(text))
		return -EINVAL;
	while (size > 1 && text[size - 1] == '/')
		size--;
	*(char **)field_of(key, settings) = xmemdup_text(text, size);
	return 0;
}

/* Nothing means the default, which may be nothing. */
static int parse_optional_path(
	const struct settings_key *key, const char *text, struct settings *settings)
{
	if (text[0] == '\0')
		text = key->default_text;
	return text[0] ? parse_path(key, text, settings) : parse_text(key, text, settings);
}

static int parse_program(
	const struct settings_key *key, const char *text, struct settings *settings)
{
	if (text[0] == '/' && text[1])
		return parse_path(key, text, settings);
	if (text[0] == '\0' || strchr(text, '/') || has_control_character(text))
		return -EINVAL;
	return parse_text(key, text, settings);
}

static int parse_address(
	const struct settings_key *key, const char *text, struct settings *settings)
{
	return address_parse(text, field_of(key, settings));
}

static int parse_id(const struct settings_key *key, const char *text, struct settings *settings)
{
	return id_parse(text, strlen(text), key->name, field_of(key, settings), NULL);
}

/* A file name, as one under /run/netns must be. */
static int parse_network_namespace(
	const struct settings_key *key, const char *text, struct settings *settings)
{
	if (strlen(text) > NAME_MAX || strchr(text, '/') || text_equal(text, ".") ||
		text_equal(text, "..") || has_control_character(text))
		return -EINVAL;
	return parse_text(key, text, settings);
}

static int parse_user(const struct settings_key *key, const char *text, struct settings *settings)
{
	if (text[0] == '\0' || text[0] == '-' || strlen(text) > USER_NAME_SIZE_MAX ||
		!is_made_of(text, "_-."))
		return -EINVAL;
	return parse_text(key, text, settings);
}

/* oslo takes older protocols as well; settings.c warns of them. */
static int parse_tls_protocol(
	const struct settings_key *key, const char *text, struct settings *settings)
{
	static const char *const words[] = {"SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (text_equal(text, words[i])) {
			*(bool *)field_of(key, settings) = text_equal(text, "TLSv1.3");
			return 0;
		}
	return -EINVAL;
}

static int parse_topology(
	const struct settings_key *key, const char *text, struct settings *settings)
{
	enum topology *topology = field_of(key, settings);

	if (text_equal(text, "SINGLE"))
		*topology = TOPOLOGY_SINGLE;
	else if (text_equal(text, "ACTIVE_STANDBY"))
		*topology = TOPOLOGY_ACTIVE_STANDBY;
	else
		return -EINVAL;
	return 0;
}

static int parse_service_manager(
	const struct settings_key *key, const char *text, struct settings *settings)
{
	enum service_manager_kind *kind = field_of(key, settings);

	if (text_equal(text, "auto"))
		*kind = SERVICE_MANAGER_AUTO;
	else if (text_equal(text, "systemd"))
		*kind = SERVICE_MANAGER_SYSTEMD;
	else if (text_equal(text, "direct"))
		*kind = SERVICE_MANAGER_DIRECT;
	else
		return -EINVAL;
	return 0;
}

/* An IPv6 address may name its link ("fe80::1%eth0"); whatever else has no colon is a name. */
static bool is_host(const char *data, size_t size_bytes)
{
	cleanup_free char *host = xmemdup_text(data, size_bytes);
	struct address address;

	if (size_bytes == 0 || size_bytes > HOST_NAME_SIZE_MAX || !is_made_of(host, "-_.:%"))
		return false;
	if (!strchr(host, ':'))
		return !strchr(host, '%');
	host[strcspn(host, "%")] = '\0';
	return address_parse(host, &address) == 0;
}

/* "HOST:PORT", "[V6]:PORT", and "V6:PORT", which is split at its last colon (heartbeat_udp.py). */
static bool is_target(const char *data, size_t size_bytes)
{
	const char *colon = memrchr(data, ':', size_bytes);
	size_t host_size = colon ? (size_t)(colon - data) : 0;
	bool is_in_brackets = host_size > 2 && data[0] == '[' && data[host_size - 1] == ']';
	uint64_t port;

	if (!colon || text_parse_u64_span(
			      colon + 1, size_bytes - host_size - 1, 1, UINT16_MAX, &port) < 0)
		return false;
	if (!is_in_brackets)
		return is_host(data, host_size);
	return is_host(data + 1, host_size - 2) && memchr(data + 1, ':', host_size - 2);
}

/* Empty items are passed over: "a, b," is common. */
static int parse_targets(
	const struct settings_key *key, const char *text, struct settings *settings)
{
	(void)key;
	while (*text) {
		size_t item_size = strcspn(text, ",");
		size_t size_bytes;
		const char *item = text_trim(text, item_size, &size_bytes);

		text += item_size + (text[item_size] == ',');
		if (size_bytes == 0)
			continue;
		if (!is_target(item, size_bytes))
			return -EINVAL;
		settings->controller_ip_port_list =
			xrealloc_array(settings->controller_ip_port_list,
				settings->controller_count + 1, sizeof(char *));
		settings->controller_ip_port_list[settings->controller_count++] =
			xmemdup_text(item, size_bytes);
	}
	return 0;
}

#define AT(field) offsetof(struct settings, field)

static const char path[] = "an absolute path";
static const char path_or_nothing[] = "an absolute path, or nothing for the default";
static const char boolean[] = "true, yes, on, 1, false, no, off or 0";
static const char facility[] = "a number from 0 to 7 (LOG_LOCAL0 to LOG_LOCAL7)";
static const char seconds[] = "a number of seconds from 1 to 86400";

/* Section, key, how it is read, where to, default. */
const struct settings_key settings_table[] = {
	{"DEFAULT", "debug", parse_boolean, AT(debug), "false", .allowed = boolean},

	{"haproxy_amphora", "base_path", parse_path, AT(base_path), "/var/lib/octavia",
		.allowed = path},
	/* Its default follows base_path. */
	{"haproxy_amphora", "base_cert_dir", parse_path, AT(base_cert_dir), NULL, .allowed = path},
	{"haproxy_amphora", "bind_host", parse_address, AT(bind_host),
		"::", .allowed = "an IPv4 or IPv6 address; :: takes both families"},
	{"haproxy_amphora", "bind_port", parse_port, AT(bind_port), "9443",
		.allowed = "a port from 1 to 65535, or 0 for any free one"},
	{"haproxy_amphora", "haproxy_cmd", parse_program, AT(haproxy_cmd), "/usr/sbin/haproxy",
		.allowed = "a program: an absolute path, or a name in PATH"},

	{"health_manager", "controller_ip_port_list", parse_targets, AT(controller_ip_port_list),
		"", .allowed = "a comma-separated list of ADDRESS:PORT, [IPv6]:PORT or NAME:PORT"},
	{"health_manager", "heartbeat_interval", parse_number, AT(heartbeat_interval_s), "10",
		.allowed = seconds, .min = 1, .max = 86400},
	{"health_manager", "heartbeat_key", parse_text, AT(heartbeat_key), "",
		.allowed = "any text", .is_secret = true},

	{"amphora_agent", "agent_server_ca", parse_path, AT(agent_server_ca),
		"/etc/octavia/certs/client_ca.pem", .allowed = path},
	{"amphora_agent", "agent_server_cert", parse_path, AT(agent_server_cert),
		"/etc/octavia/certs/server.pem", .allowed = path},
	{"amphora_agent", "agent_server_network_dir", parse_optional_path,
		AT(agent_server_network_dir), "/etc/octavia/interfaces",
		.allowed = path_or_nothing},
	{"amphora_agent", "agent_request_read_timeout", parse_number,
		AT(agent_request_read_timeout_s), "180", .allowed = seconds, .min = 1,
		.max = 86400},
	{"amphora_agent", "amphora_id", parse_id, AT(amphora_id), NULL,
		.allowed = "the amphora's id: 1 to 64 letters, digits, '_' and '-', not starting "
			   "with '-'",
		.is_required = true},
	{"amphora_agent", "agent_tls_protocol", parse_tls_protocol, AT(tls_1_3_only), "TLSv1.2",
		.allowed = "TLSv1.2 or TLSv1.3"},
	{"amphora_agent", "administrative_log_facility", parse_number,
		AT(administrative_log_facility), "1", .allowed = facility, .max = 7,
		.other_section = "haproxy_amphora"},
	{"amphora_agent", "user_log_facility", parse_number, AT(user_log_facility), "0",
		.allowed = facility, .max = 7, .other_section = "haproxy_amphora"},

	{"controller_worker", "loadbalancer_topology", parse_topology, AT(topology), "SINGLE",
		.allowed = "SINGLE or ACTIVE_STANDBY"},

	{"agent", "service_manager", parse_service_manager, AT(service_manager), "auto",
		.allowed = "auto, systemd or direct"},
	{"agent", "unit_dir", parse_path, AT(unit_dir), "/etc/systemd/system", .allowed = path},
	{"agent", "network_namespace", parse_network_namespace, AT(network_namespace),
		"amphora-haproxy",
		.allowed = "the name of a network namespace, or nothing for none"},
	{"agent", "template_dir", parse_optional_path, AT(template_dir), "",
		.allowed = path_or_nothing},
	{"agent", "runtime_dir", parse_path, AT(runtime_dir), "/run/octavia", .allowed = path},
	{"agent", "user", parse_user, AT(user), "nobody", .allowed = "the name of a user"},
	{"agent", "prometheus_port", parse_port, AT(prometheus_port), "9102",
		.allowed = "a port from 1 to 65535, or 0 for no Prometheus proxy"},
	{"agent", "prometheus_exporter_port", parse_number, AT(prometheus_exporter_port), "9101",
		.allowed = "a port from 1 to 65535", .min = 1, .max = UINT16_MAX},
	{"agent", "members_start_down", parse_boolean, AT(members_start_down), "false",
		.allowed = boolean},
	{"agent", "keepalived_cmd", parse_program, AT(keepalived_cmd), "/usr/sbin/keepalived",
		.allowed = "a program: an absolute path, or a name in PATH"},
};

const size_t settings_table_size = sizeof(settings_table) / sizeof(settings_table[0]);
