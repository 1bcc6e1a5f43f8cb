/* SPDX-License-Identifier: Apache-2.0 */
#include "keepalived/version.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

static bool keeps_members(const char *command, const char *version)
{
	const struct keepalived_site site = {.command = (char *)command};

	setenv("FAKE_KEEPALIVED_VERSION", version, true);
	return keepalived_reload_keeps_members(&site);
}

static void a_version_is_read_from_the_first_line(void **state)
{
	struct keepalived_version version;

	(void)state;
	assert_true(keepalived_version_parse(
		"Keepalived v2.10.14 (01/16,2022)\n\nCopyright(C)\n", &version));
	assert_int_equal(version.major, 2);
	assert_int_equal(version.minor, 10);
	assert_int_equal(version.patch, 14);
	assert_true(keepalived_version_parse("Keepalived v1.3.9-rc1", &version));
	assert_int_equal(version.patch, 9);
}

static void what_is_no_version_is_not_read(void **state)
{
	static const char *const texts[] = {"", "Keepalived", "Keepalived v", "Keepalived v2.2",
		"Keepalived vx.2.7", "Keepalived v2.99999999999.7"};
	struct keepalived_version version;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_false(keepalived_version_parse(texts[i], &version));
}

static void members_are_kept_from_2_0_14_on(void **state)
{
	static const char fake[] = SHARED_TESTS "/harness/fake_keepalived.sh";

	(void)state;
	assert_true(keeps_members(fake, "2.0.14"));
	assert_true(keeps_members(fake, "2.1.0"));
	assert_true(keeps_members(fake, "3.0.0"));
	assert_false(keeps_members(fake, "2.0.13"));
	assert_false(keeps_members(fake, "1.9.99"));
	assert_false(keeps_members(fake, "unknown"));
}

static void the_installed_one_tells_its_version(void **state)
{
	(void)state;
	assert_true(keeps_members("/usr/sbin/keepalived", ""));
	assert_false(keeps_members("/nonexistent/keepalived", ""));
	assert_false(keeps_members("/bin/false", ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_version_is_read_from_the_first_line),
		cmocka_unit_test(what_is_no_version_is_not_read),
		cmocka_unit_test(members_are_kept_from_2_0_14_on),
		cmocka_unit_test(the_installed_one_tells_its_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
