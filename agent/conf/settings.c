/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/settings.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "conf/ini.h"
#include "conf/settings_table.h"

DEFINE_CLEANUP(struct ini *, ini_free);

/* How much of a wrong value a message shows. */
enum { EXCERPT_SIZE = 64 };

static void list_add(char ***list, size_t *count, const char *text)
{
	*list = xrealloc_array(*list, *count + 1, sizeof(char *));
	(*list)[(*count)++] = xstrdup(text);
}

static void list_free(char **list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(list[i]);
	free(list);
}

void settings_sources_add_file(struct settings_sources *sources, const char *path)
{
	list_add(&sources->files, &sources->file_count, path);
}

void settings_sources_add_dir(struct settings_sources *sources, const char *path)
{
	list_add(&sources->dirs, &sources->dir_count, path);
}

void settings_sources_deinit(struct settings_sources *sources)
{
	list_free(sources->files, sources->file_count);
	list_free(sources->dirs, sources->dir_count);
	*sources = (struct settings_sources){0};
}

void settings_deinit(struct settings *settings)
{
	if (settings->heartbeat_key)
		explicit_bzero(settings->heartbeat_key, strlen(settings->heartbeat_key));
	free(settings->heartbeat_key);
	free(settings->base_path);
	free(settings->base_cert_dir);
	free(settings->haproxy_cmd);
	list_free(settings->controller_ip_port_list, settings->controller_count);
	free(settings->agent_server_ca);
	free(settings->agent_server_cert);
	free(settings->agent_server_network_dir);
	free(settings->network_namespace);
	free(settings->template_dir);
	free(settings->runtime_dir);
	free(settings->unit_dir);
	free(settings->user);
	free(settings->keepalived_cmd);
	*settings = (struct settings){0};
}

/* As the shell's "*.conf" finds them: no hidden ones. */
static int is_config_file(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && text_ends_with(entry->d_name, ".conf");
}

/* By bytes, whatever the locale. */
static int name_compare(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int folder_read(struct ini *ini, const char *folder, struct err *err)
{
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, is_config_file, name_compare);
	int r = 0;

	if (count < 0)
		return err_set_errno(err, -errno, "reading configuration folder %s", folder);
	for (int i = 0; i < count; i++) {
		cleanup_free char *path = xformat("%s/%s", folder, entries[i]->d_name);

		if (r == 0)
			r = ini_read(ini, path, err);
		free(entries[i]);
	}
	free(entries);
	return r;
}

/* text: in place of the last file; NULL: that is read as well. */
static int sources_read(const struct settings_sources *sources, const char *text,
	size_t text_size_bytes, struct ini *ini, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < sources->file_count; i++) {
		bool is_last = i + 1 == sources->file_count;

		if (text && is_last)
			r = ini_parse(ini, sources->files[i], text, text_size_bytes, err);
		else
			r = ini_read(ini, sources->files[i], err);
	}
	for (size_t i = 0; r == 0 && i < sources->dir_count; i++)
		r = folder_read(ini, sources->dirs[i], err);
	return r;
}

/* The start of a value, fit for a message: one line, cut between characters. */
static void excerpt(const char *value, char ret_text[static EXCERPT_SIZE + sizeof("...")])
{
	size_t size = strnlen(value, EXCERPT_SIZE + 1);
	bool is_cut = size > EXCERPT_SIZE;

	if (is_cut)
		size = EXCERPT_SIZE;
	while (is_cut && size > 0 && ((unsigned char)value[size] & 0xc0) == 0x80)
		size--;
	for (size_t i = 0; i < size; i++)
		ret_text[i] = (unsigned char)value[i] < 0x20 || value[i] == 0x7f ? ' ' : value[i];
	memcpy(ret_text + size, is_cut ? "..." : "", is_cut ? sizeof("...") : 1);
}

static const struct ini_entry *entry_find(const struct ini *ini, const struct settings_key *key)
{
	const struct ini_entry *entry = ini_find(ini, key->section, key->name);

	if (!entry && key->other_section)
		entry = ini_find(ini, key->other_section, key->name);
	return entry;
}

static int key_apply(const struct settings_key *key, const struct ini_entry *entry,
	struct settings *settings, struct err *err)
{
	char shown[EXCERPT_SIZE + sizeof("...")] = "(secret)";

	if (!entry && !key->default_text)
		return 0;
	if (key->parse(key, entry ? entry->value : key->default_text, settings) == 0)
		return 0;
	/* Nothing that we wrote ourselves is refused, so there is an entry. */
	if (!key->is_secret)
		excerpt(entry->value, shown);
	return err_set(err, -EINVAL, "%s:%u: [%s] %s: '%s' is not allowed, it must be %s",
		entry->file, entry->line, entry->section, key->name, shown, key->allowed);
}

/* Where a key that is missing would have been expected. */
static const char *main_file(const struct settings_sources *sources)
{
	if (sources->file_count > 0)
		return sources->files[sources->file_count - 1];
	return sources->dir_count > 0 ? sources->dirs[sources->dir_count - 1] : "configuration";
}

/* What is wrong is told before what is missing: it stands at a place that can be looked at. */
static int table_apply(const struct settings_sources *sources, const struct ini *ini,
	struct settings *settings, struct err *err)
{
	const struct settings_key *missing = NULL;

	for (size_t i = 0; i < settings_table_size; i++) {
		const struct settings_key *key = &settings_table[i];
		const struct ini_entry *entry = entry_find(ini, key);
		int r = key_apply(key, entry, settings, err);

		if (r < 0)
			return r;
		if (!entry && key->is_required && !missing)
			missing = key;
	}
	if (missing)
		return err_set(err, -EINVAL, "%s: [%s] %s: is missing, it must be %s",
			main_file(sources), missing->section, missing->name, missing->allowed);
	if (!settings->base_cert_dir)
		settings->base_cert_dir = xformat("%s/certs", settings->base_path);
	return 0;
}

/* The part of path behind base_path that would be a load balancer's folder; NULL: there is none. */
static const char *inside_load_balancer(const char *base_path, const char *path)
{
	size_t base_size = strlen(base_path);
	const char *name = path + base_size + 1;
	struct id id;

	if (!text_starts_with(path, base_path) || path[base_size] != '/')
		return NULL;
	return id_parse(name, strcspn(name, "/"), "folder", &id, NULL) == 0 ? name : NULL;
}

/* A folder of ours must not go away with a load balancer that happens to have its name. */
static int folders_check(const struct ini *ini, const struct settings *settings, struct err *err)
{
	const struct {
		const char *section, *key, *path;
	} folders[] = {
		{"haproxy_amphora", "base_cert_dir", settings->base_cert_dir},
		{"agent", "runtime_dir", settings->runtime_dir},
		{"agent", "unit_dir", settings->unit_dir},
	};

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		const struct ini_entry *entry = ini_find(ini, folders[i].section, folders[i].key);
		const char *name = inside_load_balancer(settings->base_path, folders[i].path);

		if (entry && name)
			return err_set(err, -EINVAL,
				"%s:%u: [%s] %s: '%s' is inside the folder that a load balancer "
				"with the id %.*s would have, it must be outside base_path, or in "
				"%s/certs",
				entry->file, entry->line, entry->section, entry->key,
				folders[i].path, (int)strcspn(name, "/"), name,
				settings->base_path);
	}
	return 0;
}

/* The controller's templates escape for HTML (amphora-api.md, "Configuration file"). */
static bool looks_escaped(const char *value)
{
	static const char *const escapes[] = {
		"&amp;", "&lt;", "&gt;", "&quot;", "&apos;", "&#34;", "&#39;", "&#x27;"};

	for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++)
		if (strstr(value, escapes[i]))
			return true;
	return false;
}

static void entry_warn(const struct ini_entry *entry, const char *text)
{
	log_warning(
		"%s:%u: [%s] %s: %s", entry->file, entry->line, entry->section, entry->key, text);
}

static void known_keys_warn(const struct ini *ini)
{
	for (size_t i = 0; i < settings_table_size; i++) {
		const struct ini_entry *entry = entry_find(ini, &settings_table[i]);

		if (entry && looks_escaped(entry->value))
			entry_warn(entry,
				"looks HTML-escaped; it is taken as it is, and does not match what "
				"it was before");
		if (entry && entry->has_reference)
			entry_warn(entry,
				"holds a reference to another key; it is taken as it is, not "
				"replaced");
	}
}

/* Nobody but a person writes to [agent]: what is unknown there is a slip of the pen. */
static void unknown_keys_warn(const struct ini *ini)
{
	for (size_t i = 0; i < ini_count(ini); i++) {
		const struct ini_entry *entry = ini_entry_at(ini, i);
		bool is_known = !text_equal(entry->section, "agent");

		for (size_t k = 0; !is_known && k < settings_table_size; k++)
			is_known = text_equal(settings_table[k].section, entry->section) &&
				   text_equal(settings_table[k].name, entry->key);
		if (!is_known)
			entry_warn(entry, "is not known, and ignored");
	}
}

static void meaning_warn(const struct ini *ini, const struct settings *settings)
{
	const struct ini_entry *protocol = ini_find(ini, "amphora_agent", "agent_tls_protocol");

	if (protocol && !text_equal(protocol->value, "TLSv1.2") && !settings->tls_1_3_only)
		entry_warn(protocol, "is not safe any more; TLSv1.2 and later are offered");
	if (settings->controller_count > 0 && settings->heartbeat_key[0] == '\0')
		log_warning("[health_manager] heartbeat_key is not set: no heartbeat will be sent");
}

static int sources_load(const struct settings_sources *sources, const char *text,
	size_t text_size_bytes, struct settings *ret_settings, struct err *err)
{
	CLEANUP(cleanup_ini_free) struct ini *ini = ini_new();
	CLEANUP(settings_deinit) struct settings settings = {0};
	int r = sources_read(sources, text, text_size_bytes, ini, err);

	if (r == 0)
		r = table_apply(sources, ini, &settings, err);
	if (r == 0)
		r = folders_check(ini, &settings, err);
	if (r < 0)
		return r;
	known_keys_warn(ini);
	unknown_keys_warn(ini);
	meaning_warn(ini, &settings);
	*ret_settings = settings;
	settings = (struct settings){0};
	return 0;
}

int settings_load(
	const struct settings_sources *sources, struct settings *ret_settings, struct err *err)
{
	return sources_load(sources, NULL, 0, ret_settings, err);
}

int settings_load_with(const struct settings_sources *sources, const char *text,
	size_t text_size_bytes, struct settings *ret_settings, struct err *err)
{
	if (sources->file_count == 0)
		return err_set(err, -EINVAL, "no configuration file was named, to be replaced");
	return sources_load(sources, text, text_size_bytes, ret_settings, err);
}

static const char *or_else(const char *text, const char *otherwise)
{
	return text[0] ? text : otherwise;
}

static const char *service_manager_describe(enum service_manager_kind kind)
{
	switch (kind) {
	case SERVICE_MANAGER_SYSTEMD:
		return "systemd: programs are units of the machine's own";
	case SERVICE_MANAGER_DIRECT:
		return "direct: programs are started and watched by the agent";
	case SERVICE_MANAGER_AUTO:
		break;
	}
	return "auto: systemd where it booted the machine, else direct";
}

static void heartbeats_describe(const struct settings *settings, struct buf *ret_text)
{
	buf_append_text(ret_text, "heartbeats           ");
	if (settings->controller_count == 0)
		buf_append_text(ret_text, "none: controller_ip_port_list is empty");
	else
		buf_append_format(ret_text, "every %u s to", settings->heartbeat_interval_s);
	for (size_t i = 0; i < settings->controller_count; i++)
		buf_append_format(
			ret_text, "%s %s", i ? "," : "", settings->controller_ip_port_list[i]);
	buf_append_format(
		ret_text, "; key %s\n", settings->heartbeat_key[0] ? "(set)" : "(not set)");
}

static void prometheus_describe(const struct settings *settings, struct buf *ret_text)
{
	if (settings->prometheus_port == 0)
		buf_append_text(ret_text, "Prometheus proxy     none (prometheus_port = 0)\n");
	else
		buf_append_format(ret_text,
			"Prometheus proxy     127.0.0.1:%u, there; it asks HAProxy at port %u\n",
			settings->prometheus_port, settings->prometheus_exporter_port);
}

void settings_describe(const struct settings *settings, struct buf *ret_text)
{
	bool is_v6 = settings->bind_host.family == AF_INET6;
	char host[ADDRESS_TEXT_MAX];

	address_format(&settings->bind_host, host);
	buf_append_format(ret_text, "amphora              %s, topology %s\n",
		settings->amphora_id.text,
		settings->topology == TOPOLOGY_SINGLE ? "SINGLE" : "ACTIVE_STANDBY");
	buf_append_format(ret_text,
		"API                  https://%s%s%s:%u, TLSv1.3%s, %u s for a request\n",
		is_v6 ? "[" : "", host, is_v6 ? "]" : "", settings->bind_port,
		settings->tls_1_3_only ? "" : " or TLSv1.2",
		settings->agent_request_read_timeout_s);
	buf_append_format(ret_text, "server certificate   %s\n", settings->agent_server_cert);
	buf_append_format(ret_text, "clients' CA          %s\n", settings->agent_server_ca);
	heartbeats_describe(settings, ret_text);
	buf_append_format(ret_text, "HAProxy              %s, network namespace %s\n",
		settings->haproxy_cmd, or_else(settings->network_namespace, "(the agent's own)"));
	prometheus_describe(settings, ret_text);
	buf_append_format(ret_text, "new members          %s\n",
		settings->members_start_down ? "down until checks pass" : "up until a check fails");
	buf_append_format(ret_text, "load balancers       %s\n", settings->base_path);
	buf_append_format(ret_text, "their certificates   %s\n", settings->base_cert_dir);
	buf_append_format(
		ret_text, "interfaces           %s\n", settings->agent_server_network_dir);
	buf_append_format(ret_text, "templates            %s\n",
		or_else(settings->template_dir, "(those that came with the program)"));
	buf_append_format(ret_text, "run-time files       %s\n", settings->runtime_dir);
	buf_append_format(ret_text, "service manager      %s\n",
		service_manager_describe(settings->service_manager));
	buf_append_format(ret_text, "unprivileged user    %s\n", settings->user);
	buf_append_format(ret_text, "log                  local%u for traffic, local%u else%s\n",
		settings->user_log_facility, settings->administrative_log_facility,
		settings->debug ? ", with debug lines" : "");
}
