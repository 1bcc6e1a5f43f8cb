/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/cgroup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/file.h"

/* A machine's files, under a folder that each test makes for itself. */
static char root[64];

static int set_up(void **state)
{
	(void)state;
	snprintf(root, sizeof(root), "/tmp/cgroup-test-XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	return directory_remove(root, NULL);
}

static void put(const char *path, const char *text)
{
	cleanup_free char *whole = xformat("%s%s", root, path);
	cleanup_free char *folder = xstrdup(whole);

	*strrchr(folder, '/') = '\0';
	assert_int_equal(directory_make(folder, 0755, NULL), 0);
	assert_int_equal(file_replace_nosync(whole, text, strlen(text), 0644, NULL), 0);
}

static void a_limit_of_version_2_comes_with_its_use(void **state)
{
	struct cgroup_memory memory = {0};

	(void)state;
	put("/proc/self/cgroup", "0::/\n");
	put("/sys/fs/cgroup/memory.max", "536870912\n");
	put("/sys/fs/cgroup/memory.current", "104857600\n");
	put("/sys/fs/cgroup/memory.stat",
		"anon 1000\nfile 52428800\nkernel 1\nshmem 20971520\nfile_mapped 5\n"
		"slab_reclaimable 9\nslab 4194304\n");
	assert_int_equal(cgroup_memory_read(root, &memory, NULL), 0);
	assert_int_equal(memory.limit_bytes, 536870912);
	assert_int_equal(memory.used_bytes, 104857600);
	assert_int_equal(memory.cache_bytes, 52428800);
	assert_int_equal(memory.shared_bytes, 20971520);
	assert_int_equal(memory.slab_bytes, 4194304);
}

static void a_limit_of_version_1_comes_with_its_use(void **state)
{
	struct cgroup_memory memory = {0};

	(void)state;
	put("/proc/self/cgroup", "9:name=systemd:/\n4:cpu,memory,pids:/box\n0::/other\n");
	put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
	put("/sys/fs/cgroup/memory/box/memory.limit_in_bytes", "1073741824\n");
	put("/sys/fs/cgroup/memory/box/memory.usage_in_bytes", "2097152\n");
	put("/sys/fs/cgroup/memory/box/memory.stat",
		"cache 1\nshmem 2\ntotal_cache 1048576\ntotal_shmem 4096\n");
	assert_int_equal(cgroup_memory_read(root, &memory, NULL), 0);
	assert_int_equal(memory.limit_bytes, 1073741824);
	assert_int_equal(memory.used_bytes, 2097152);
	assert_int_equal(memory.cache_bytes, 1048576);
	assert_int_equal(memory.shared_bytes, 4096);
	assert_int_equal(memory.slab_bytes, 0);
}

static void the_tightest_group_on_the_way_up_counts(void **state)
{
	struct cgroup_memory memory = {0};

	(void)state;
	put("/proc/self/cgroup", "0::/a/b/c\n");
	put("/sys/fs/cgroup/a/b/c/memory.max", "max\n");
	put("/sys/fs/cgroup/a/b/memory.max", "3000000\n");
	put("/sys/fs/cgroup/a/b/memory.current", "1000000\n");
	put("/sys/fs/cgroup/a/b/memory.stat", "file 7\n");
	put("/sys/fs/cgroup/a/memory.max", "4000000\n");
	assert_int_equal(cgroup_memory_read(root, &memory, NULL), 0);
	assert_int_equal(memory.limit_bytes, 3000000);
	assert_int_equal(memory.used_bytes, 1000000);
	assert_int_equal(memory.cache_bytes, 7);
}

static void a_limit_of_the_agents_own_unit_does_not_count(void **state)
{
	struct cgroup_memory memory = {0};

	(void)state;
	put("/run/systemd/system/x", "");
	put("/proc/self/cgroup", "0::/system.slice/amphora-agent.service\n");
	put("/sys/fs/cgroup/system.slice/amphora-agent.service/memory.max", "100000000\n");
	assert_int_equal(cgroup_memory_read(root, &memory, NULL), -ENOENT);
	put("/sys/fs/cgroup/memory.max", "900000000\n");
	put("/sys/fs/cgroup/memory.current", "1\n");
	put("/sys/fs/cgroup/memory.stat", "");
	assert_int_equal(cgroup_memory_read(root, &memory, NULL), 0);
	assert_int_equal(memory.limit_bytes, 900000000);
}

static void a_group_whose_files_show_at_the_root_is_found(void **state)
{
	static const char *const memberships[] = {"0::/docker/abc\n", "0::/../x\n", "0::/..\n"};
	struct cgroup_memory memory = {0};

	(void)state;
	put("/sys/fs/cgroup/memory.max", "5000000\n");
	put("/sys/fs/cgroup/memory.current", "1\n");
	put("/sys/fs/cgroup/memory.stat", "");
	for (size_t i = 0; i < sizeof(memberships) / sizeof(memberships[0]); i++) {
		put("/proc/self/cgroup", memberships[i]);
		assert_int_equal(cgroup_memory_read(root, &memory, NULL), 0);
		assert_int_equal(memory.limit_bytes, 5000000);
	}
}

static void no_limit_is_enoent(void **state)
{
	struct cgroup_memory memory = {.limit_bytes = 7};

	(void)state;
	assert_int_equal(cgroup_memory_read(root, &memory, NULL), -ENOENT);
	put("/proc/self/cgroup", "0::/\n");
	assert_int_equal(cgroup_memory_read(root, &memory, NULL), -ENOENT);
	put("/sys/fs/cgroup/memory.max", "max\n");
	assert_int_equal(cgroup_memory_read(root, &memory, NULL), -ENOENT);
	put("/proc/self/cgroup", "");
	assert_int_equal(cgroup_memory_read(root, &memory, NULL), -ENOENT);
	assert_int_equal(memory.limit_bytes, 7);
}

static void nonsense_for_a_limit_is_refused(void **state)
{
	struct cgroup_memory memory = {.limit_bytes = 7};
	struct err err = ERR_NONE;

	(void)state;
	put("/proc/self/cgroup", "0::/\n");
	put("/sys/fs/cgroup/memory.max", "much\n");
	assert_int_equal(cgroup_memory_read(root, &memory, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "memory.max"));
	assert_int_equal(memory.limit_bytes, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_limit_of_version_2_comes_with_its_use, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_limit_of_version_1_comes_with_its_use, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			the_tightest_group_on_the_way_up_counts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_limit_of_the_agents_own_unit_does_not_count, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_group_whose_files_show_at_the_root_is_found, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_limit_is_enoent, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nonsense_for_a_limit_is_refused, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("cgroup", tests, NULL, NULL);
}
