/* SPDX-License-Identifier: Apache-2.0 */
/* Files around a config: certificates and their names, what a config refers to. */
#include "haproxy/certificate.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "haproxy/references.h"

static char folder[64];
static struct haproxy_site *site;
static struct haproxy_instance *instance;

static const struct id lb = {.text = "lb"};

static int setup(void **state)
{
	struct settings settings = {
		.base_path = folder,
		.haproxy_cmd = (char *)"haproxy",
		.network_namespace = (char *)"",
		.template_dir = (char *)SHARED_TESTS "/../templates",
		.amphora_id = {.text = "amphora"},
	};
	cleanup_free char *certificates = NULL;
	cleanup_free char *runtime = NULL;

	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/hap-files.XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	certificates = settings.base_cert_dir = xformat("%s/certs", folder);
	runtime = settings.runtime_dir = xformat("%s/run", folder);
	if (haproxy_site_new(&settings, NULL, &site, NULL) < 0)
		return -1;
	instance = haproxy_instance_acquire(site, &lb);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	haproxy_instance_release(instance);
	haproxy_site_free(site);
	return directory_remove(folder, NULL);
}

static char *in_folder(const char *name)
{
	return xformat("%s/%s", folder, name);
}

static void write_file(const char *name, const char *text)
{
	cleanup_free char *path = in_folder(name);

	assert_int_equal(file_replace_nosync(path, text, strlen(text), 0600, NULL), 0);
}

static bool parses(const char *text)
{
	struct certificate_name name;

	return certificate_name_parse(text, strlen(text), &name, NULL) == 0;
}

static void a_certificates_name_cannot_leave_its_folder(void **state)
{
	char long_name[CERTIFICATE_NAME_MAX + 2];

	(void)state;
	assert_true(parses("c9aaa9616a4a4346dcefd4ff49ecd9eb7cd7ef38.pem"));
	assert_true(parses("b14f868a-8506-454f-8667-7a7d09b2449c.pem"));
	assert_true(parses("a..b_C.pem"));
	assert_false(parses(""));
	assert_false(parses(".pem"));
	assert_false(parses("..pem"));
	assert_false(parses("a.pe"));
	assert_false(parses("apem"));
	assert_false(parses("a.pem.bak"));
	assert_false(parses("../a.pem"));
	assert_false(parses("a/b.pem"));
	assert_false(parses("a%2fb.pem"));
	assert_false(parses("a b.pem"));
	assert_false(parses("\xc3\xa4.pem"));
	memset(long_name, 'a', sizeof(long_name));
	memcpy(long_name + CERTIFICATE_NAME_MAX - 4, ".pem", 5);
	assert_true(parses(long_name));
	memset(long_name, 'a', sizeof(long_name));
	memcpy(long_name + CERTIFICATE_NAME_MAX - 3, ".pem", 5);
	assert_false(parses(long_name));
}

static void a_nul_in_a_certificates_name_is_refused(void **state)
{
	struct certificate_name name;

	(void)state;
	assert_int_equal(certificate_name_parse("a\0b.pem", 7, &name, NULL), -EINVAL);
}

static struct certificate_name name_of(const char *text)
{
	struct certificate_name name;

	assert_int_equal(certificate_name_parse(text, strlen(text), &name, NULL), 0);
	return name;
}

static void a_stored_certificate_is_for_root_only_and_has_its_md5(void **state)
{
	struct certificate_name name = name_of("a.pem");
	cleanup_free char *path = in_folder("certs/lb/a.pem");
	cleanup_free char *certificates = in_folder("certs/lb");
	char md5[MD5_HEX_SIZE + 1];
	struct stat status;

	(void)state;
	assert_int_equal(haproxy_certificate_md5(site, &lb, &name, md5, NULL), -ENOENT);
	assert_int_equal(haproxy_certificate_delete(instance, &name, NULL), 0);
	assert_int_equal(haproxy_certificate_store(instance, &name, "hello", 5, NULL), 0);
	assert_int_equal(haproxy_certificate_md5(site, &lb, &name, md5, NULL), 0);
	assert_string_equal(md5, "5d41402abc4b2a76b9719d911017c592");
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	assert_int_equal(stat(certificates, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0700);
	assert_int_equal(haproxy_certificate_delete(instance, &name, NULL), 0);
	assert_false(file_exists(path));
}

static void store(const char *name_text, const char *content, int age_s)
{
	struct certificate_name name = name_of(name_text);
	cleanup_free char *path = xformat("%s/certs/lb/%s", folder, name_text);
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = time(NULL) - age_s}};

	assert_int_equal(
		haproxy_certificate_store(instance, &name, content, strlen(content), NULL), 0);
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void assert_stored(const char *name, bool is_stored)
{
	cleanup_free char *path = xformat("%s/certs/lb/%s", folder, name);

	if (file_exists(path) != is_stored)
		fail_msg("%s is %s", name, is_stored ? "gone" : "there");
}

static void only_what_nobody_refers_to_is_removed(void **state)
{
	cleanup_free char *lb_folder = in_folder("lb");
	cleanup_free char *other_folder = in_folder("other");
	cleanup_free char *config =
		xformat("frontend f\n bind :1 ssl crt-list %s/certs/lb/list.pem\n", folder);
	cleanup_free char *other =
		xformat("backend b\n server s :1 ssl ca-file %s/certs/lb/shared.pem\n", folder);
	cleanup_free char *list = xformat("%s/certs/lb/listed.pem\n", folder);
	cleanup_free char *before =
		xformat("00000000000000000000000000000000 %s/certs/lb/used.pem\n", folder);

	(void)state;
	assert_int_equal(directory_make(lb_folder, 0755, NULL), 0);
	assert_int_equal(directory_make(other_folder, 0755, NULL), 0);
	write_file("lb/haproxy.cfg", config);
	write_file("other/haproxy.cfg", other);
	store("list.pem", list, 9999);
	store("listed.pem", "x", 9999);
	store("shared.pem", "x", 9999);
	store("old.pem", "x", 9999);
	store("used.pem", "x", 0);
	store("young.pem", "x", 0);
	haproxy_certificate_prune(instance, before);
	assert_stored("list.pem", true);
	assert_stored("listed.pem", true);
	assert_stored("shared.pem", true);
	assert_stored("young.pem", true);
	assert_stored("used.pem", false);
	assert_stored("old.pem", false);
}

static void what_cannot_be_read_may_refer_to_anything(void **state)
{
	cleanup_free char *lb_folder = in_folder("lb");
	cleanup_free char *no_config = in_folder("other/haproxy.cfg");

	(void)state;
	assert_int_equal(directory_make(lb_folder, 0755, NULL), 0);
	write_file("lb/haproxy.cfg", "");
	assert_int_equal(directory_make(no_config, 0755, NULL), 0);
	store("old.pem", "x", 9999);
	haproxy_certificate_prune(instance, "");
	assert_stored("old.pem", true);
	assert_int_equal(directory_remove(no_config, NULL), 0);
	haproxy_certificate_prune(instance, "");
	assert_stored("old.pem", false);
}

/* What references.h makes of a config in which every "F/" is the test's folder. */
static int digest(const char *pattern, struct buf *ret_digest)
{
	cleanup_buf struct buf text = BUF_INIT(MIB);
	const char *rest = pattern;
	const char *at;

	while ((at = strstr(rest, "F/"))) {
		buf_append(&text, rest, (size_t)(at - rest));
		buf_append_format(&text, "%s/", folder);
		rest = at + 2;
	}
	buf_append_text(&text, rest);
	buf_clear(ret_digest);
	return haproxy_references_digest(
		buf_text(&text), text.size_bytes, "/no/such", ret_digest, NULL);
}

static void a_changed_file_changes_the_digest(void **state)
{
	static const char config[] = "frontend f\n bind :1 ssl crt F/a.pem\n";
	cleanup_buf struct buf before = BUF_INIT(MIB);
	cleanup_buf struct buf after = BUF_INIT(MIB);

	(void)state;
	write_file("a.pem", "1");
	assert_int_equal(digest(config, &before), 0);
	assert_true(before.size_bytes > MD5_HEX_SIZE);
	assert_int_equal(digest(config, &after), 0);
	assert_string_equal(buf_text(&before), buf_text(&after));
	write_file("a.pem", "2");
	assert_int_equal(digest(config, &after), 0);
	assert_string_not_equal(buf_text(&before), buf_text(&after));
}

static void a_file_that_a_crt_list_names_changes_the_digest(void **state)
{
	static const char config[] = "frontend f\n bind :1 ssl crt-list F/list.pem\n";
	cleanup_free char *list =
		xformat("%s/b.pem [ca-file %s/ca.pem] a.example\n", folder, folder);
	cleanup_buf struct buf before = BUF_INIT(MIB);
	cleanup_buf struct buf after = BUF_INIT(MIB);

	(void)state;
	write_file("list.pem", list);
	write_file("b.pem", "1");
	write_file("ca.pem", "1");
	assert_int_equal(digest(config, &before), 0);
	write_file("ca.pem", "2");
	assert_int_equal(digest(config, &after), 0);
	assert_string_not_equal(buf_text(&before), buf_text(&after));
	write_file("ca.pem", "1");
	write_file("b.pem", "2");
	assert_int_equal(digest(config, &after), 0);
	assert_string_not_equal(buf_text(&before), buf_text(&after));
}

static void what_only_looks_like_a_file_does_not_count(void **state)
{
	cleanup_buf struct buf text = BUF_INIT(MIB);

	(void)state;
	assert_int_equal(digest("frontend f\n acl a path -m beg / /two\n"
				"backend b\n option httpchk GET /\n log /dev/null local0\n",
				 &text),
		0);
	assert_string_equal(buf_text(&text), "");
}

static void files_that_cannot_be_told_are_said_so(void **state)
{
	cleanup_buf struct buf text = BUF_INIT(MIB);

	(void)state;
	assert_int_equal(digest("frontend f\n bind :1 ssl crt F/certs\n", &text), -ENOTSUP);
	assert_int_equal(digest("global\n crt-base F/certs\n", &text), -ENOTSUP);
	assert_int_equal(digest("frontend f\n bind :1 ssl crt \"/$X/a.pem\"\n", &text), -ENOTSUP);
	assert_int_equal(digest("frontend f\n use_backend %[path,map(/etc/m)]\n", &text), -ENOTSUP);
	write_file("list.pem", "relative.pem\n");
	assert_int_equal(digest("frontend f\n bind :1 ssl crt-list F/list.pem\n", &text), -ENOTSUP);
}

int main(void)
{
#define with_folder(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_certificates_name_cannot_leave_its_folder),
		cmocka_unit_test(a_nul_in_a_certificates_name_is_refused),
		with_folder(a_stored_certificate_is_for_root_only_and_has_its_md5),
		with_folder(only_what_nobody_refers_to_is_removed),
		with_folder(what_cannot_be_read_may_refer_to_anything),
		with_folder(a_changed_file_changes_the_digest),
		with_folder(a_file_that_a_crt_list_names_changes_the_digest),
		with_folder(what_only_looks_like_a_file_does_not_count),
		with_folder(files_that_cannot_be_told_are_said_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
