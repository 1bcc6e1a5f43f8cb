/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/undo_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "keepalived/site.h"
#include "keepalived/vrrp.h"
#include "lvs/instance.h"
#include "sys/service.h"
#include "temporary_folder.h"

static const struct id lb = {.text = "lb-1"};
static const struct id dns = {.text = "dns"};
static const struct id sip = {.text = "sip"};

static struct settings settings;
static struct service_manager *services;
static struct keepalived_site *keepalived;
static struct deploy_site site;

static int setup(void **state)
{
	if (temporary_folder_setup(state) < 0)
		return -1;
	settings = (struct settings){
		.base_path = temporary_folder,
		.base_cert_dir = in_temporary_folder("certs"),
		.runtime_dir = in_temporary_folder("run"),
		.haproxy_cmd = "haproxy",
		.keepalived_cmd = "keepalived",
		.network_namespace = "",
		.template_dir = SHARED_TESTS "/../templates",
		.amphora_id = {.text = "amphora"},
	};
	if (service_manager_new_direct(settings.runtime_dir, &services, NULL) < 0 ||
		haproxy_site_new(&settings, services, &site.haproxy, NULL) < 0 ||
		keepalived_site_new(&settings, services, &keepalived, NULL) < 0 ||
		lvs_site_new(keepalived, &site.lvs, NULL) < 0)
		return -1;
	site.keepalived = keepalived;
	return 0;
}

static int teardown(void **state)
{
	lvs_site_free(site.lvs);
	keepalived_site_free(keepalived);
	haproxy_site_free(site.haproxy);
	service_manager_free(services);
	free(settings.base_cert_dir);
	free(settings.runtime_dir);
	return temporary_folder_teardown(state);
}

/* Adds a part that text, or nothing, is to take the place of. */
static void add(struct parts *parts, const struct part_kind *kind, const struct id *id,
	struct haproxy_instance *instance, const char *text)
{
	cleanup_buf struct buf wanted = BUF_INIT(KIB);

	assert_int_equal(parts_add(parts, kind, &site, id, instance, NULL), 0);
	if (text)
		buf_append_text(&wanted, text);
	part_set_after(&parts->items[parts->count - 1], text ? &wanted : NULL, false);
}

static void assert_before(const struct part *part, const struct part_kind *kind,
	const struct id *id, const char *text)
{
	assert_ptr_equal(part->kind, kind);
	assert_string_equal(part->id.text, id->text);
	assert_int_equal(part->before.is_installed, text != NULL);
	assert_string_equal(buf_text(&part->before.text), text ? text : "");
}

/* Of the HAProxy part alone, as the next agent finds it. */
static void assert_kept(struct parts *parts, struct haproxy_instance *instance)
{
	cleanup_parts struct parts loaded = {NULL};

	assert_int_equal(undo_log_store(&site, &lb, parts, NULL), 0);
	parts_deinit(parts);
	assert_int_equal(undo_log_load(&site, instance, &loaded, NULL), 0);
	assert_int_equal(loaded.count, 1);
	assert_before(&loaded.items[0], &part_haproxy, &lb, NULL);
}

static void found(size_t expected)
{
	cleanup_free struct id *ids = NULL;
	size_t count;

	assert_int_equal(undo_log_find(&site, &ids, &count, NULL), 0);
	assert_int_equal(count, expected);
	if (count > 0)
		assert_string_equal(ids[0].text, lb.text);
}

static void what_changes_is_kept_in_the_order_of_the_locks(void **state)
{
	cleanup_haproxy_instance struct haproxy_instance *instance =
		haproxy_instance_acquire(site.haproxy, &lb);
	cleanup_parts struct parts loaded = {NULL};
	struct parts parts = {NULL};

	(void)state;
	temporary_file("lvs/octavia-keepalivedlvs-dns.conf", "old dns\n");
	temporary_file("lvs/octavia-keepalivedlvs-dns.stopped", "");
	temporary_file("vrrp/octavia-keepalived.conf", "old vrrp\n");
	assert_int_equal(haproxy_instance_install(instance, "old\n", 4, NULL), 0);
	add(&parts, &part_haproxy, &lb, instance, "new\n");
	add(&parts, &part_lvs, &dns, NULL, "old dns\n");
	add(&parts, &part_lvs, &sip, NULL, "new sip\n");
	add(&parts, &part_vrrp, &lb, NULL, NULL);
	assert_int_equal(undo_log_store(&site, &lb, &parts, NULL), 0);
	parts_deinit(&parts);
	found(1);
	/* Whatever is installed by then. */
	assert_int_equal(haproxy_instance_install(instance, "new\n", 4, NULL), 0);
	assert_int_equal(undo_log_load(&site, instance, &loaded, NULL), 0);
	assert_int_equal(loaded.count, 4);
	assert_before(&loaded.items[0], &part_haproxy, &lb, "old\n");
	assert_before(&loaded.items[1], &part_lvs, &dns, "old dns\n");
	assert_true(loaded.items[1].before.is_stopped);
	assert_before(&loaded.items[2], &part_lvs, &sip, NULL);
	assert_before(&loaded.items[3], &part_vrrp, &lb, "old vrrp\n");
	assert_false(loaded.items[3].before.is_stopped);
	assert_int_equal(undo_log_remove(&site, &lb, NULL), 0);
	found(0);
	assert_int_equal(undo_log_remove(&site, &lb, NULL), 0);
}

static void what_stays_as_it_is_is_not_kept(void **state)
{
	cleanup_haproxy_instance struct haproxy_instance *instance =
		haproxy_instance_acquire(site.haproxy, &lb);
	cleanup_parts struct parts parts = {NULL};

	(void)state;
	assert_int_equal(haproxy_instance_install(instance, "old\n", 4, NULL), 0);
	temporary_file("lvs/octavia-keepalivedlvs-dns.conf", "old dns\n");
	add(&parts, &part_haproxy, &lb, instance, "old\n");
	add(&parts, &part_lvs, &dns, NULL, "old dns\n");
	assert_int_equal(undo_log_store(&site, &lb, &parts, NULL), 0);
	found(0);
}

static void one_that_was_cut_short_is_none_and_in_nobodys_way(void **state)
{
	cleanup_haproxy_instance struct haproxy_instance *instance =
		haproxy_instance_acquire(site.haproxy, &lb);
	cleanup_free char *new = in_temporary_folder("lb-1/before.new");
	struct parts parts = {NULL};

	(void)state;
	assert_int_equal(directory_make(new, 0700, NULL), 0);
	temporary_file("lb-1/before.new/lvs-gone.conf", "");
	found(0);
	add(&parts, &part_haproxy, &lb, instance, "new\n");
	assert_kept(&parts, instance);
}

static void one_that_could_not_be_removed_is_in_nobodys_way(void **state)
{
	cleanup_haproxy_instance struct haproxy_instance *instance =
		haproxy_instance_acquire(site.haproxy, &lb);
	cleanup_free char *old = in_temporary_folder("lb-1/before");
	cleanup_free char *new = in_temporary_folder("lb-1/before.new");
	struct parts parts = {NULL};

	(void)state;
	assert_int_equal(directory_make(old, 0700, NULL), 0);
	temporary_file("lb-1/before/lvs-dns.conf", "of long ago\n");
	assert_int_equal(directory_make(new, 0700, NULL), 0);
	temporary_file("lb-1/before.new/lvs-dns.conf", "of long ago\n");
	add(&parts, &part_haproxy, &lb, instance, "new\n");
	assert_kept(&parts, instance);
	assert_int_equal(undo_log_remove(&site, &lb, NULL), 0);
	found(0);
}

static void files_that_are_no_parts_are_not_read(void **state)
{
	static const char *const names[] = {"haproxy-.conf", "lvs-a b.conf", "lvs.conf",
		"dns-x.conf", "lvs-dns.stopped", "haproxy-lb-1.conf.tmp"};
	cleanup_haproxy_instance struct haproxy_instance *instance =
		haproxy_instance_acquire(site.haproxy, &lb);
	cleanup_free char *folder = in_temporary_folder("lb-1/before");
	cleanup_parts struct parts loaded = {NULL};

	(void)state;
	assert_int_equal(directory_make(folder, 0700, NULL), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		cleanup_free char *name = xformat("lb-1/before/%s", names[i]);

		temporary_file(name, "");
	}
	found(1);
	assert_int_equal(undo_log_load(&site, instance, &loaded, NULL), 0);
	assert_int_equal(loaded.count, 0);
}

#define with_site(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_site(what_changes_is_kept_in_the_order_of_the_locks),
		with_site(what_stays_as_it_is_is_not_kept),
		with_site(one_that_was_cut_short_is_none_and_in_nobodys_way),
		with_site(one_that_could_not_be_removed_is_in_nobodys_way),
		with_site(files_that_are_no_parts_are_not_read),
	};

	return cmocka_run_group_tests_name("undo_log", tests, NULL, NULL);
}
