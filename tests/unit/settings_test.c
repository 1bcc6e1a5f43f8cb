/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"

/* What a controller of release 16 renders. */
static const char controller_config[] =
	"\n"
	"[DEFAULT]\n"
	"debug = True\n"
	"use_syslog = True\n"
	"syslog_log_facility = LOG_LOCAL1\n"
	"\n"
	"[haproxy_amphora]\n"
	"base_cert_dir = /var/lib/octavia/certs\n"
	"base_path = /var/lib/octavia\n"
	"bind_host = ::\n"
	"bind_port = 9443\n"
	"haproxy_cmd = /usr/sbin/haproxy\n"
	"user_log_facility = 2\n"
	"administrative_log_facility = 3\n"
	"\n"
	"[health_manager]\n"
	"controller_ip_port_list = 192.0.2.254:5555, [2001:db8::1]:5556\n"
	"heartbeat_interval = 3\n"
	"heartbeat_key = harness-heartbeat-key\n"
	"\n"
	"[amphora_agent]\n"
	"agent_server_ca = /etc/octavia/certs/client_ca.pem\n"
	"agent_server_cert = /etc/octavia/certs/server.pem\n"
	"agent_request_read_timeout = 170\n"
	"amphora_id = 8da7c6e5-6fe9-4f0c-88d8-f8ab6609b683\n"
	"amphora_udp_driver = keepalived_lvs\n"
	"agent_tls_protocol = TLSv1.2\n"
	"\n"
	"[controller_worker]\n"
	"loadbalancer_topology = ACTIVE_STANDBY";

/* A folder of configuration files, what the programs are started with, and what they log. */
struct world {
	char folder[64];
	struct settings_sources sources;
	int log; /* where stderr goes while settings are loaded */
};

static int set_up(void **state)
{
	struct world *world = xcalloc(1, sizeof(*world));
	char log[] = "/tmp/settings-test-log-XXXXXX";

	snprintf(world->folder, sizeof(world->folder), "/tmp/settings-test-XXXXXX");
	if (!mkdtemp(world->folder))
		return -1;
	world->log = mkostemp(log, O_CLOEXEC);
	unlink(log);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	close(world->log);
	settings_sources_deinit(&world->sources);
	directory_remove(world->folder, NULL);
	free(world);
	return 0;
}

/* The caller frees it. */
static char *path_in(const struct world *world, const char *name)
{
	return xformat("%s/%s", world->folder, name);
}

static void put(const struct world *world, const char *name, const char *text)
{
	cleanup_free char *path = path_in(world, name);

	assert_int_equal(file_replace_nosync(path, text, strlen(text), 0600, NULL), 0);
}

static void add_file(struct world *world, const char *name, const char *text)
{
	cleanup_free char *path = path_in(world, name);

	put(world, name, text);
	settings_sources_add_file(&world->sources, path);
}

static int load(const struct world *world, struct settings *ret_settings, struct err *err)
{
	int stderr_before = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	int r;

	dup2(world->log, STDERR_FILENO);
	r = settings_load(&world->sources, ret_settings, err);
	dup2(stderr_before, STDERR_FILENO);
	close(stderr_before);
	return r;
}

static void loaded(const struct world *world, struct settings *ret_settings)
{
	struct err err = ERR_NONE;

	if (load(world, ret_settings, &err) < 0)
		fail_msg("%s", err.text);
}

/* Loads one text, with an amphora id put in front. */
static int load_text(
	struct world *world, const char *text, struct settings *ret_settings, struct err *err)
{
	cleanup_free char *whole = xformat("[amphora_agent]\namphora_id = a\n%s", text);

	settings_sources_deinit(&world->sources);
	add_file(world, "agent.conf", whole);
	return load(world, ret_settings, err);
}

/* The caller frees it. */
static char *logged(const struct world *world)
{
	char *text = xcalloc(64 * KIB, 1);

	assert_true(pread(world->log, text, 64 * KIB - 1, 0) >= 0);
	return text;
}

static void nothing_is_logged(const struct world *world)
{
	cleanup_free char *text = logged(world);

	assert_string_equal(text, "");
}

static void log_holds(const struct world *world, const char *part)
{
	cleanup_free char *text = logged(world);

	if (!strstr(text, part))
		fail_msg("'%s' is not in '%s'", part, text);
}

static void every_key_but_the_id_has_a_default(void **state)
{
	CLEANUP(settings_deinit) struct settings settings = {0};
	struct world *world = *state;
	char host[ADDRESS_TEXT_MAX];

	assert_int_equal(load_text(world, "", &settings, NULL), 0);
	assert_false(settings.debug);
	assert_string_equal(settings.base_path, "/var/lib/octavia");
	assert_string_equal(settings.base_cert_dir, "/var/lib/octavia/certs");
	address_format(&settings.bind_host, host);
	assert_string_equal(host, "::");
	assert_int_equal(settings.bind_port, 9443);
	assert_string_equal(settings.haproxy_cmd, "/usr/sbin/haproxy");
	assert_int_equal(settings.controller_count, 0);
	assert_int_equal(settings.heartbeat_interval_s, 10);
	assert_string_equal(settings.heartbeat_key, "");
	assert_string_equal(settings.agent_server_ca, "/etc/octavia/certs/client_ca.pem");
	assert_string_equal(settings.agent_server_cert, "/etc/octavia/certs/server.pem");
	assert_string_equal(settings.agent_server_network_dir, "/etc/octavia/interfaces");
	assert_int_equal(settings.agent_request_read_timeout_s, 180);
	assert_false(settings.tls_1_3_only);
	assert_int_equal(settings.administrative_log_facility, 1);
	assert_int_equal(settings.user_log_facility, 0);
	assert_int_equal(settings.topology, TOPOLOGY_SINGLE);
	assert_int_equal(settings.service_manager, SERVICE_MANAGER_AUTO);
	assert_string_equal(settings.network_namespace, "amphora-haproxy");
	assert_string_equal(settings.template_dir, "");
	assert_false(settings.members_start_down);
	assert_string_equal(settings.runtime_dir, "/run/octavia");
	assert_string_equal(settings.user, "nobody");
	assert_int_equal(settings.prometheus_port, 9102);
	assert_int_equal(settings.prometheus_exporter_port, 9101);
	nothing_is_logged(world);
}

static void a_controllers_file_is_taken_as_it_comes(void **state)
{
	CLEANUP(settings_deinit) struct settings settings = {0};
	struct world *world = *state;

	add_file(world, "agent.conf", controller_config);
	loaded(world, &settings);
	assert_true(settings.debug);
	assert_string_equal(settings.amphora_id.text, "8da7c6e5-6fe9-4f0c-88d8-f8ab6609b683");
	assert_int_equal(settings.heartbeat_interval_s, 3);
	assert_string_equal(settings.heartbeat_key, "harness-heartbeat-key");
	assert_int_equal(settings.controller_count, 2);
	assert_string_equal(settings.controller_ip_port_list[0], "192.0.2.254:5555");
	assert_string_equal(settings.controller_ip_port_list[1], "[2001:db8::1]:5556");
	assert_int_equal(settings.agent_request_read_timeout_s, 170);
	assert_int_equal(settings.user_log_facility, 2);
	assert_int_equal(settings.administrative_log_facility, 3);
	assert_int_equal(settings.topology, TOPOLOGY_ACTIVE_STANDBY);
	nothing_is_logged(world);
}

static void a_later_file_wins_and_a_folder_over_all_files(void **state)
{
	CLEANUP(settings_deinit) struct settings settings = {0};
	struct world *world = *state;
	cleanup_free char *drop_ins = path_in(world, "conf.d");

	add_file(world, "a.conf", "[haproxy_amphora]\nbind_port=1\nbase_path=/a\n");
	add_file(
		world, "b.conf", "[haproxy_amphora]\nbind_port=2\n[amphora_agent]\namphora_id=i\n");
	assert_int_equal(directory_make(drop_ins, 0755, NULL), 0);
	settings_sources_add_dir(&world->sources, drop_ins);
	put(world, "conf.d/20-b.conf", "[agent]\nuser=b\n");
	put(world, "conf.d/10-a.conf", "[agent]\nuser=a\nruntime_dir=/run/a\n");
	put(world, "conf.d/.hidden.conf", "[agent]\nuser=hidden\n");
	put(world, "conf.d/30-c.conf.bak", "[agent]\nuser=bak\n");
	loaded(world, &settings);
	assert_int_equal(settings.bind_port, 2);
	assert_string_equal(settings.base_path, "/a");
	assert_string_equal(settings.user, "b");
	assert_string_equal(settings.runtime_dir, "/run/a");
}

static void a_replacement_stands_for_the_last_file_only(void **state)
{
	static const char text[] = "[haproxy_amphora]\nbind_port = 3\n";
	CLEANUP(settings_deinit) struct settings settings = {0};
	struct world *world = *state;
	struct err err = ERR_NONE;

	add_file(world, "a.conf", "[amphora_agent]\namphora_id = first\n");
	add_file(world, "b.conf", "[amphora_agent]\namphora_id = second\n[DEFAULT]\ndebug = 1\n");
	assert_int_equal(
		settings_load_with(&world->sources, text, strlen(text), &settings, &err), 0);
	assert_string_equal(settings.amphora_id.text, "first");
	assert_int_equal(settings.bind_port, 3);
	assert_false(settings.debug);
}

static void a_bad_replacement_is_named_by_the_file_it_would_replace(void **state)
{
	static const char text[] = "[haproxy_amphora]\nbind_port\n";
	struct world *world = *state;
	struct settings settings = {.bind_port = 7};
	struct err err = ERR_NONE;

	assert_int_equal(
		settings_load_with(&world->sources, text, strlen(text), &settings, &err), -EINVAL);
	add_file(world, "a.conf", controller_config);
	assert_int_equal(
		settings_load_with(&world->sources, text, strlen(text), &settings, &err), -EINVAL);
	assert_non_null(strstr(err.text, "/a.conf:2: "));
	assert_int_equal(settings.bind_port, 7);
	assert_null(settings.base_path);
}

static void wrong_values_are_named_with_what_is_allowed(void **state)
{
	static const struct {
		const char *section, *line, *allowed;
	} cases[] = {
		{"DEFAULT", "debug = maybe", "true, yes, on, 1, false, no, off or 0"},
		{"DEFAULT", "debug =", "true, yes"},
		{"haproxy_amphora", "base_path = lib", "an absolute path"},
		{"haproxy_amphora", "base_path =", "an absolute path"},
		{"haproxy_amphora", "base_path = $base_path/x", "an absolute path"},
		{"haproxy_amphora", "base_path = /a\n  b", "an absolute path"},
		{"haproxy_amphora", "bind_host = localhost", "an IPv4 or IPv6 address"},
		{"haproxy_amphora", "bind_host = [::]", "an IPv4 or IPv6 address"},
		{"haproxy_amphora", "bind_port = 65536", "a port from 1 to 65535"},
		{"haproxy_amphora", "bind_port = -1", "a port from 1 to 65535"},
		{"haproxy_amphora", "bind_port = 80 # web", "a port from 1 to 65535"},
		{"haproxy_amphora", "haproxy_cmd = ./haproxy", "a program"},
		{"haproxy_amphora", "haproxy_cmd =", "a program"},
		{"haproxy_amphora", "user_log_facility = 8", "a number from 0 to 7"},
		{"health_manager", "heartbeat_interval = 0", "a number of seconds from 1"},
		{"health_manager", "heartbeat_interval = 1.5", "a number of seconds from 1"},
		{"health_manager", "heartbeat_interval =", "a number of seconds from 1"},
		{"amphora_agent", "agent_request_read_timeout = 86401", "a number of seconds"},
		{"amphora_agent", "amphora_id = ../x", "the amphora's id"},
		{"amphora_agent", "amphora_id =", "the amphora's id"},
		{"amphora_agent", "agent_tls_protocol = TLSv1.4", "TLSv1.2 or TLSv1.3"},
		{"amphora_agent", "agent_tls_protocol = tlsv1.2", "TLSv1.2 or TLSv1.3"},
		{"amphora_agent", "administrative_log_facility = local1", "a number from 0 to 7"},
		{"controller_worker", "loadbalancer_topology = single", "SINGLE or ACTIVE"},
		{"agent", "service_manager = upstart", "auto, systemd or direct"},
		{"agent", "network_namespace = ../x", "the name of a network namespace"},
		{"agent", "network_namespace = ..", "the name of a network namespace"},
		{"agent", "template_dir = templates", "an absolute path"},
		{"agent", "runtime_dir =", "an absolute path"},
		{"agent", "user = -x", "the name of a user"},
		{"agent", "prometheus_port = 65536", "a port from 1 to 65535, or 0"},
		{"agent", "members_start_down = down", "true, yes"},
		{"agent", "prometheus_exporter_port = 0", "a port from 1 to 65535"},
	};
	struct world *world = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cleanup_free char *text = xformat("\n[%s]\n%s\n", cases[i].section, cases[i].line);
		cleanup_free char *key = xmemdup_text(cases[i].line, strcspn(cases[i].line, " "));
		cleanup_free char *where =
			xformat("/agent.conf:5: [%s] %s: '", cases[i].section, key);
		struct settings settings = {.bind_port = 7};
		struct err err = ERR_NONE;

		assert_int_equal(load_text(world, text, &settings, &err), -EINVAL);
		if (!strstr(err.text, where) || !strstr(err.text, cases[i].allowed))
			fail_msg(
				"'%s' and '%s' are not in '%s'", where, cases[i].allowed, err.text);
		assert_int_equal(settings.bind_port, 7);
		assert_null(settings.base_path);
	}
}

static void a_long_wrong_value_is_shown_in_part_and_whole_characters(void **state)
{
	struct world *world = *state;
	struct settings settings = {0};
	struct err err = ERR_NONE;

	/* 63 letters, then a character of two bytes across the limit of 64. */
	assert_int_equal(load_text(world,
				 "[DEFAULT]\ndebug = "
				 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
				 "\xc3\xa9zzz\n",
				 &settings, &err),
		-EINVAL);
	assert_non_null(strstr(err.text, "aaa...'"));
	assert_null(strstr(err.text, "\xc3"));
}

static void a_folder_that_could_be_a_load_balancers_is_refused(void **state)
{
	static const struct {
		const char *text;
		bool refused;
	} cases[] = {
		{"[haproxy_amphora]\nbase_path = /b\nbase_cert_dir = /b/tls\n", true},
		{"[haproxy_amphora]\nbase_path = /b\nbase_cert_dir = /b/tls/certs\n", true},
		{"[haproxy_amphora]\nbase_path = /b\nbase_cert_dir = /b/certs\n", false},
		{"[haproxy_amphora]\nbase_path = /b\nbase_cert_dir = /bb/tls\n", false},
		{"[haproxy_amphora]\nbase_path = /b\n[agent]\nruntime_dir = /b/run\n", true},
	};
	struct world *world = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CLEANUP(settings_deinit) struct settings settings = {0};
		struct err err = ERR_NONE;

		assert_int_equal(load_text(world, cases[i].text, &settings, &err),
			cases[i].refused ? -EINVAL : 0);
		if (cases[i].refused)
			assert_non_null(strstr(err.text, "load balancer with the id"));
	}
}

static void a_missing_id_is_told(void **state)
{
	struct world *world = *state;
	struct settings settings = {0};
	struct err err = ERR_NONE;

	add_file(world, "agent.conf", "[DEFAULT]\n");
	assert_int_equal(settings_load(&world->sources, &settings, &err), -EINVAL);
	assert_non_null(strstr(err.text, "/agent.conf: [amphora_agent] amphora_id: is missing"));
	settings_sources_deinit(&world->sources);
	assert_int_equal(settings_load(&world->sources, &settings, &err), -EINVAL);
}

static void a_wrong_value_is_told_before_a_missing_id(void **state)
{
	struct world *world = *state;
	struct settings settings = {0};
	struct err err = ERR_NONE;

	add_file(world, "agent.conf", "[controller_worker]\nloadbalancer_topology = TRIPLE\n");
	assert_int_equal(settings_load(&world->sources, &settings, &err), -EINVAL);
	assert_non_null(strstr(err.text, "loadbalancer_topology: 'TRIPLE' is not allowed"));
}

static void a_missing_source_is_told(void **state)
{
	struct world *world = *state;
	struct settings settings = {0};
	struct err err = ERR_NONE;
	cleanup_free char *path = path_in(world, "nowhere");

	settings_sources_add_file(&world->sources, path);
	assert_int_equal(settings_load(&world->sources, &settings, &err), -ENOENT);
	assert_non_null(strstr(err.text, path));
	settings_sources_deinit(&world->sources);
	settings_sources_add_dir(&world->sources, path);
	assert_int_equal(settings_load(&world->sources, &settings, &err), -ENOENT);
	assert_non_null(strstr(err.text, path));
}

static void booleans_are_oslos_in_any_case(void **state)
{
	static const char *const words[][2] = {{"false", "true"}, {"No", "yES"}, {"OFF", "On"},
		{"0", "1"}, {"'False'", "\"TRUE\""}};
	struct world *world = *state;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		for (int value = 0; value < 2; value++) {
			cleanup_free char *text =
				xformat("[DEFAULT]\ndebug = %s\n", words[i][value]);
			CLEANUP(settings_deinit) struct settings settings = {.debug = !value};

			assert_int_equal(load_text(world, text, &settings, NULL), 0);
			assert_int_equal(settings.debug, value);
		}
}

static void an_old_tls_version_means_1_2_with_a_warning(void **state)
{
	static const char *const old[] = {"SSLv3", "TLSv1", "TLSv1.1"};
	struct world *world = *state;

	for (size_t i = 0; i < sizeof(old) / sizeof(old[0]); i++) {
		cleanup_free char *text = xformat("agent_tls_protocol = %s\n", old[i]);
		CLEANUP(settings_deinit) struct settings settings = {0};

		assert_int_equal(load_text(world, text, &settings, NULL), 0);
		assert_false(settings.tls_1_3_only);
		log_holds(world, "/agent.conf:3: [amphora_agent] agent_tls_protocol: is not safe");
		assert_int_equal(ftruncate(world->log, 0), 0);
		assert_int_equal(lseek(world->log, 0, SEEK_SET), 0);
	}
}

static void tls_1_3_is_taken_at_its_word(void **state)
{
	CLEANUP(settings_deinit) struct settings settings = {0};
	struct world *world = *state;

	assert_int_equal(load_text(world, "agent_tls_protocol = TLSv1.3\n", &settings, NULL), 0);
	assert_true(settings.tls_1_3_only);
	nothing_is_logged(world);
}

static void log_facilities_of_either_section_are_taken(void **state)
{
	CLEANUP(settings_deinit) struct settings settings = {0};
	struct world *world = *state;

	assert_int_equal(load_text(world,
				 "user_log_facility = 5\n"
				 "[haproxy_amphora]\nuser_log_facility = 6\n"
				 "administrative_log_facility = 7\n",
				 &settings, NULL),
		0);
	assert_int_equal(settings.user_log_facility, 5);
	assert_int_equal(settings.administrative_log_facility, 7);
}

static void targets_of_every_form_are_taken(void **state)
{
	static const char *const targets[] = {"192.0.2.1:5555", "[2001:db8::1]:5555",
		"2001:db8::1:5555", "health.example.org:5555", "[fe80::1%eth0]:1", "::1:65535"};
	struct world *world = *state;
	cleanup_buf struct buf text = BUF_INIT(KIB);
	CLEANUP(settings_deinit) struct settings settings = {0};

	buf_append_text(&text, "[health_manager]\nheartbeat_key = k\ncontroller_ip_port_list =, ");
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
		buf_append_format(&text, "%s%s", targets[i], i % 2 ? ",\n   " : " ,");
	buf_append_text(&text, ",\n");
	assert_int_equal(load_text(world, buf_text(&text), &settings, NULL), 0);
	assert_int_equal(settings.controller_count, sizeof(targets) / sizeof(targets[0]));
	for (size_t i = 0; i < settings.controller_count; i++)
		assert_string_equal(settings.controller_ip_port_list[i], targets[i]);
	nothing_is_logged(world);
}

static void targets_of_no_form_are_refused(void **state)
{
	static const char *const targets[] = {"192.0.2.1", "192.0.2.1:", ":5555", "192.0.2.1:0",
		"192.0.2.1:65536", "[name]:5555", "[]:5555", "2001:db8::zz:5555", "a b:5555",
		"[::1:5555", "::1]:5555", "a/b:1", "name%eth0:1", "192.0.2.1:5555 192.0.2.2:5555",
		"192.0.2.1:55x", "192.0.2.1:5555;192.0.2.2:5555"};
	struct world *world = *state;

	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		cleanup_free char *text =
			xformat("[health_manager]\ncontroller_ip_port_list = 192.0.2.9:1, %s\n",
				targets[i]);
		struct settings settings = {0};
		struct err err = ERR_NONE;

		if (load_text(world, text, &settings, &err) != -EINVAL)
			fail_msg("'%s' was taken", targets[i]);
		assert_non_null(strstr(err.text, "controller_ip_port_list"));
	}
}

static void an_escaped_value_is_taken_literally_with_a_warning(void **state)
{
	CLEANUP(settings_deinit) struct settings settings = {0};
	struct world *world = *state;
	cleanup_free char *log = NULL;

	assert_int_equal(load_text(world, "[health_manager]\nheartbeat_key = a&amp;b&#39;\n",
				 &settings, NULL),
		0);
	assert_string_equal(settings.heartbeat_key, "a&amp;b&#39;");
	log_holds(world, "/agent.conf:4: [health_manager] heartbeat_key: looks HTML-escaped");
	log = logged(world);
	assert_null(strstr(log, "a&amp;b"));
}

static void a_reference_is_taken_literally_with_a_warning(void **state)
{
	CLEANUP(settings_deinit) struct settings settings = {0};
	struct world *world = *state;

	assert_int_equal(
		load_text(world, "[health_manager]\nheartbeat_key = a$b$$c\n", &settings, NULL), 0);
	assert_string_equal(settings.heartbeat_key, "a$b$c");
	log_holds(world, "[health_manager] heartbeat_key: holds a reference");
}

static void unknown_keys_are_ignored_and_told_only_where_people_write(void **state)
{
	CLEANUP(settings_deinit) struct settings settings = {0};
	struct world *world = *state;

	assert_int_equal(load_text(world,
				 "[new_section]\na = 1\n[haproxy_amphora]\nnew_key = 2\n"
				 "Bind_Port = x\n",
				 &settings, NULL),
		0);
	assert_int_equal(settings.bind_port, 9443);
	nothing_is_logged(world);
	settings_deinit(&settings);
	assert_int_equal(
		load_text(world, "[agent]\nservice_manger = direct\n", &settings, NULL), 0);
	log_holds(world, "/agent.conf:4: [agent] service_manger: is not known");
}

static void targets_without_a_key_are_warned_of(void **state)
{
	CLEANUP(settings_deinit) struct settings settings = {0};
	struct world *world = *state;

	assert_int_equal(load_text(world, "[health_manager]\ncontroller_ip_port_list = a:1\n",
				 &settings, NULL),
		0);
	log_holds(world, "heartbeat_key is not set: no heartbeat will be sent");
}

static void certificates_lie_under_base_path_unless_told_otherwise(void **state)
{
	CLEANUP(settings_deinit) struct settings settings = {0};
	struct world *world = *state;

	assert_int_equal(
		load_text(world, "[haproxy_amphora]\nbase_path = /srv/lb//\n", &settings, NULL), 0);
	assert_string_equal(settings.base_path, "/srv/lb");
	assert_string_equal(settings.base_cert_dir, "/srv/lb/certs");
}

static void nothing_for_a_namespace_or_an_optional_folder_is_a_value(void **state)
{
	CLEANUP(settings_deinit) struct settings settings = {0};
	struct world *world = *state;

	assert_int_equal(load_text(world,
				 "agent_server_network_dir =\n[agent]\nnetwork_namespace =\n"
				 "template_dir = \"\"\n",
				 &settings, NULL),
		0);
	assert_string_equal(settings.network_namespace, "");
	assert_string_equal(settings.template_dir, "");
	assert_string_equal(settings.agent_server_network_dir, "/etc/octavia/interfaces");
}

static void the_description_says_what_will_be_done_and_no_secret(void **state)
{
	static const char *const parts[] = {"8da7c6e5-6fe9-4f0c-88d8-f8ab6609b683",
		"ACTIVE_STANDBY", "https://[::]:9443", "TLSv1.2", "170 s",
		"every 3 s to 192.0.2.254:5555, [2001:db8::1]:5556; key (set)",
		"/etc/octavia/certs/server.pem", "/usr/sbin/haproxy", "amphora-haproxy",
		"/var/lib/octavia/certs", "/run/octavia", "nobody", "local2", "local3",
		"127.0.0.1:9102", "port 9101"};
	CLEANUP(settings_deinit) struct settings settings = {0};
	cleanup_buf struct buf text = BUF_INIT(64 * KIB);
	struct world *world = *state;

	add_file(world, "agent.conf", controller_config);
	loaded(world, &settings);
	settings_describe(&settings, &text);
	assert_int_equal(buf_error(&text), 0);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (!strstr(buf_text(&text), parts[i]))
			fail_msg("'%s' is not in '%s'", parts[i], buf_text(&text));
	assert_null(strstr(buf_text(&text), "harness-heartbeat-key"));
}

static void the_description_says_what_is_not_configured(void **state)
{
	CLEANUP(settings_deinit) struct settings settings = {0};
	cleanup_buf struct buf text = BUF_INIT(64 * KIB);
	struct world *world = *state;

	assert_int_equal(load_text(world, "[agent]\nnetwork_namespace =\nprometheus_port = 0\n",
				 &settings, NULL),
		0);
	settings_describe(&settings, &text);
	assert_non_null(strstr(buf_text(&text), "none: controller_ip_port_list is empty"));
	assert_non_null(strstr(buf_text(&text), "key (not set)"));
	assert_non_null(strstr(buf_text(&text), "network namespace (the agent's own)"));
	assert_non_null(strstr(buf_text(&text), "none (prometheus_port = 0)"));
}

static void settings_may_be_freed_twice(void **state)
{
	struct settings settings = {0};
	struct world *world = *state;

	settings_deinit(&settings);
	assert_int_equal(load_text(world, "", &settings, NULL), 0);
	settings_deinit(&settings);
	settings_deinit(&settings);
	assert_null(settings.base_path);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_key_but_the_id_has_a_default),
		TEST(a_controllers_file_is_taken_as_it_comes),
		TEST(a_later_file_wins_and_a_folder_over_all_files),
		TEST(a_replacement_stands_for_the_last_file_only),
		TEST(a_bad_replacement_is_named_by_the_file_it_would_replace),
		TEST(wrong_values_are_named_with_what_is_allowed),
		TEST(a_long_wrong_value_is_shown_in_part_and_whole_characters),
		TEST(a_folder_that_could_be_a_load_balancers_is_refused),
		TEST(a_missing_id_is_told),
		TEST(a_wrong_value_is_told_before_a_missing_id),
		TEST(a_missing_source_is_told),
		TEST(booleans_are_oslos_in_any_case),
		TEST(an_old_tls_version_means_1_2_with_a_warning),
		TEST(tls_1_3_is_taken_at_its_word),
		TEST(log_facilities_of_either_section_are_taken),
		TEST(targets_of_every_form_are_taken),
		TEST(targets_of_no_form_are_refused),
		TEST(an_escaped_value_is_taken_literally_with_a_warning),
		TEST(a_reference_is_taken_literally_with_a_warning),
		TEST(unknown_keys_are_ignored_and_told_only_where_people_write),
		TEST(targets_without_a_key_are_warned_of),
		TEST(certificates_lie_under_base_path_unless_told_otherwise),
		TEST(nothing_for_a_namespace_or_an_optional_folder_is_a_value),
		TEST(the_description_says_what_will_be_done_and_no_secret),
		TEST(the_description_says_what_is_not_configured),
		TEST(settings_may_be_freed_twice),
	};

	return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
