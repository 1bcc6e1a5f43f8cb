/* SPDX-License-Identifier: Apache-2.0 */
#include "haproxy/site.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "haproxy/own_config.h"
#include "render/peer_name.h"

static char folder[64];
static struct settings settings;

static int folder_setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/site-test.XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	settings = (struct settings){
		.base_path = xformat("%s/base", folder),
		.base_cert_dir = xformat("%s/base/certs", folder),
		.runtime_dir = xformat("%s/run", folder),
		.haproxy_cmd = xstrdup("haproxy"),
		.network_namespace = xstrdup(""),
		.template_dir = xstrdup(SHARED_TESTS "/../templates"),
		.amphora_id = {.text = "21d0b8c3-9f4e-4d3a-8f0a-0d6a4f1c2b3d"},
	};
	return 0;
}

static int folder_teardown(void **state)
{
	(void)state;
	free(settings.base_path);
	free(settings.base_cert_dir);
	free(settings.runtime_dir);
	free(settings.haproxy_cmd);
	free(settings.network_namespace);
	free(settings.template_dir);
	return directory_remove(folder, NULL);
}

static struct haproxy_site *site_new(void)
{
	struct haproxy_site *site = NULL;

	assert_int_equal(haproxy_site_new(&settings, NULL, &site, NULL), 0);
	return site;
}

static void a_ledger_that_a_killed_agent_half_wrote_is_removed(void **state)
{
	static const char half[] = ".3b1a2c9e-0000-4000-8000-000000000001.traffic.json.tmp-a1B2c3";
	cleanup_free char *temporary = NULL;
	cleanup_free char *whole = NULL;

	(void)state;
	haproxy_site_free(site_new());
	temporary = xformat("%s/%s", settings.base_path, half);
	whole = xformat("%s/3b1a2c9e-0000-4000-8000-000000000001.traffic.json", settings.base_path);
	assert_int_equal(file_replace_nosync(temporary, "{", 1, 0644, NULL), 0);
	assert_int_equal(file_replace_nosync(whole, "{}", 2, 0644, NULL), 0);
	haproxy_site_free(site_new());
	assert_false(file_exists(temporary));
	assert_true(file_exists(whole));
}

static void assert_peer_name(const char *amphora_id, const char *expected)
{
	struct id id;
	cleanup_free char *name = NULL;

	assert_int_equal(id_parse(amphora_id, strlen(amphora_id), "id", &id, NULL), 0);
	name = peer_name_of(&id);
	assert_string_equal(name, expected);
}

/* Computed with octavia.common.utils.base64_sha1_string() and its callers' rstrip('='). */
static void the_peer_name_is_the_one_that_controllers_render(void **state)
{
	(void)state;
	assert_peer_name("795b929e-9a9a-40fd-aa7b-5bf55eb561a4", "6sTrGE2ewyOnTDapDawlmuwvp0U");
	assert_peer_name("092fdddf-18f2-441c-9d92-b243e0fd67dd", "ZRA5Pmzqm-YAwhI2DMEw5CtZMkY");
	assert_peer_name("c76abf43-6fa8-4dca-ac0a-e4e2f729b4c8", "_hJTvHnUBFaqgHUFfdTNf01GgUQ");
	assert_peer_name("439e7fa9-987a-46bd-9805-f5d25e80dfff", "xaLWVQGnMCNWlUif1oR4GiZEW8o");
}

static void every_path_is_where_the_reference_has_it(void **state)
{
	struct haproxy_site *site = site_new();
	struct id id = {.text = "lb"};
	static const struct {
		enum haproxy_file file;
		const char *path;
	} expected[] = {
		{HAPROXY_FILE_FOLDER, "base/lb"},
		{HAPROXY_FILE_CONFIG, "base/lb/haproxy.cfg"},
		{HAPROXY_FILE_CONFIG_NEW, "base/lb/haproxy.cfg.new"},
		{HAPROXY_FILE_CONFIG_FAILED, "base/lb/haproxy.cfg.new-failed"},
		{HAPROXY_FILE_DELETED, "base/.lb.deleted"},
		{HAPROXY_FILE_PREVIEW, "run/lb.preview.cfg"},
		{HAPROXY_FILE_PID, "base/lb/lb.pid"},
		{HAPROXY_FILE_SERVERS_STATE, "base/lb/servers-state"},
		{HAPROXY_FILE_STOPPED, "base/lb/stopped"},
		{HAPROXY_FILE_STATS_SOCKET, "base/lb.sock"},
		{HAPROXY_FILE_CERTIFICATES, "base/certs/lb"},
		{HAPROXY_FILE_MASTER_SOCKET, "run/lb.master.sock"},
		{HAPROXY_FILE_RUNNING, "run/lb.running"},
		{HAPROXY_FILE_OUTPUT, "run/lb.output"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		cleanup_free char *path = haproxy_site_path(site, &id, expected[i].file);

		assert_true(text_starts_with(path, folder));
		assert_string_equal(path + strlen(folder) + 1, expected[i].path);
	}
	haproxy_site_free(site);
}

static void the_certificates_folder_is_for_root_only(void **state)
{
	struct haproxy_site *site = site_new();
	struct stat status;

	(void)state;
	assert_int_equal(stat(site->base_cert_dir, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0700);
	haproxy_site_free(site);
}

static void a_socket_that_could_not_be_bound_is_refused_at_once(void **state)
{
	struct settings deep = settings;
	struct haproxy_site *site = NULL;
	struct err err = ERR_NONE;

	(void)state;
	deep.runtime_dir = xformat("%s/%060d", folder, 0);
	assert_int_equal(haproxy_site_new(&deep, NULL, &site, &err), -ENAMETOOLONG);
	assert_non_null(strstr(err.text, "runtime_dir"));
	assert_null(site);
	free(deep.runtime_dir);
}

static void load_balancer_make(const char *name, const char *file)
{
	cleanup_free char *lb = xformat("%s/base/%s", folder, name);
	cleanup_free char *path = xformat("%s/%s", lb, file);

	assert_int_equal(directory_make(lb, 0755, NULL), 0);
	assert_int_equal(file_replace_nosync(path, "", 0, 0600, NULL), 0);
}

static void load_balancers_are_the_folders_that_hold_a_config(void **state)
{
	struct haproxy_site *site = site_new();
	cleanup_free struct id *ids = NULL;
	size_t count = 7;

	(void)state;
	assert_int_equal(haproxy_site_load_balancers(site, &ids, &count, NULL), 0);
	assert_int_equal(count, 0);
	load_balancer_make("b-2", "haproxy.cfg");
	load_balancer_make("a_1", "haproxy.cfg");
	load_balancer_make("rejected", "haproxy.cfg.new-failed");
	load_balancer_make("vrrp", "haproxy.cfg");
	load_balancer_make("not.an.id", "haproxy.cfg");
	assert_int_equal(haproxy_site_load_balancers(site, &ids, &count, NULL), 0);
	assert_int_equal(count, 2);
	assert_string_equal(ids[0].text, "a_1");
	assert_string_equal(ids[1].text, "b-2");
	haproxy_site_free(site);
}

static void our_own_config_names_a_group_that_exists(void **state)
{
	struct haproxy_site *site = site_new();
	cleanup_free char *path = haproxy_site_own_config_path(site);
	cleanup_free char *check_path = haproxy_site_check_config_path(site);
	cleanup_buf struct buf text = BUF_INIT(KIB * 4);

	(void)state;
	assert_int_equal(haproxy_own_config_store(site, NULL), 0);
	assert_string_equal(path + strlen(folder), "/base/haproxy-default-user-group.conf");
	assert_int_equal(file_read(path, &text, NULL), 0);
	assert_non_null(strstr(buf_text(&text), "\nglobal\n"));
	assert_true(strstr(buf_text(&text), " group nogroup\n") ||
		    strstr(buf_text(&text), " group nobody\n"));
	assert_non_null(strstr(buf_text(&text), " no strict-limits\n"));
	assert_non_null(strstr(buf_text(&text), " hard-stop-after "));
	assert_null(strstr(buf_text(&text), "{{"));
	assert_true(file_exists(check_path));
	haproxy_site_free(site);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_peer_name_is_the_one_that_controllers_render),
		cmocka_unit_test(every_path_is_where_the_reference_has_it),
		cmocka_unit_test(the_certificates_folder_is_for_root_only),
		cmocka_unit_test(a_ledger_that_a_killed_agent_half_wrote_is_removed),
		cmocka_unit_test(a_socket_that_could_not_be_bound_is_refused_at_once),
		cmocka_unit_test(load_balancers_are_the_folders_that_hold_a_config),
		cmocka_unit_test(our_own_config_names_a_group_that_exists),
	};

	return cmocka_run_group_tests(tests, folder_setup, folder_teardown);
}
