/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "render/escape.h"
#include "render/template.h"

static char folder[64];

static int folder_setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/template-test.XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int folder_teardown(void **state)
{
	(void)state;
	return directory_remove(folder, NULL);
}

static void write_template(const char *name, const char *text)
{
	cleanup_free char *path = xformat("%s/%s.mustache", folder, name);

	assert_int_equal(file_replace_nosync(path, text, strlen(text), 0600, NULL), 0);
}

static int render(const char *name, struct buf *ret_text, struct err *err)
{
	json_auto_t *view = json_pack("{s:s}", "x", "a b");

	return template_render(folder, name, view, escape_haproxy, ret_text, err);
}

static void a_template_and_its_partials_lie_in_one_folder(void **state)
{
	cleanup_buf struct buf text = BUF_INIT(KIB);

	(void)state;
	write_template("main.cfg", "[{{x}}]\n  {{>part}}\n{{>part}}");
	write_template("part", "({{x}})\n");
	assert_int_equal(render("main.cfg", &text, NULL), 0);
	assert_string_equal(buf_text(&text), "[a\\ b]\n  (a\\ b)\n(a\\ b)\n");
}

static void a_missing_template_or_partial_is_an_error(void **state)
{
	cleanup_buf struct buf text = BUF_INIT(KIB);
	struct err err = ERR_NONE;

	(void)state;
	assert_int_equal(render("none", &text, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/none.mustache"));
	write_template("lacks", "{{>nothing}}");
	assert_int_equal(render("lacks", &text, &err), -ENOENT);
	assert_non_null(strstr(err.text, "template lacks, line 1"));
	assert_non_null(strstr(err.text, "/nothing.mustache"));
}

static void a_partial_cannot_leave_its_folder(void **state)
{
	static const char *const names[] = {
		"../part", "/etc/passwd", "a/b", "..", ".hidden", "a..b"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		cleanup_buf struct buf text = BUF_INIT(KIB);
		cleanup_free char *template = xformat("{{>%s}}", names[i]);

		write_template("escape", template);
		assert_int_equal(render("escape", &text, NULL), -EINVAL);
	}
}

static void a_partial_that_includes_itself_ends(void **state)
{
	cleanup_buf struct buf text = BUF_INIT(KIB);
	struct err err = ERR_NONE;

	(void)state;
	write_template("again", "{{>again}}");
	assert_int_equal(render("again", &text, &err), -EINVAL);
	assert_string_equal(err.text, "template again, line 1: 'again' nests partials too deeply");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_template_and_its_partials_lie_in_one_folder),
		cmocka_unit_test(a_missing_template_or_partial_is_an_error),
		cmocka_unit_test(a_partial_cannot_leave_its_folder),
		cmocka_unit_test(a_partial_that_includes_itself_ends),
	};

	return cmocka_run_group_tests(tests, folder_setup, folder_teardown);
}
