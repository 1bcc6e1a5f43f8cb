/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <time.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"
#include "render/mustache.h"

/* The published specification's files (tests/data/mustache-spec/); every case must pass. */
static const char *const spec_files[] = {
	"comments", "delimiters", "interpolation", "inverted", "partials", "sections"};
enum { SPEC_CASES = 136 };

/* The escaping of {{variables}} that the specification expects. */
static void escape_html(const char *text, size_t size_bytes, struct buf *ret_text)
{
	for (size_t i = 0; i < size_bytes; i++) {
		if (text[i] == '&')
			buf_append_text(ret_text, "&amp;");
		else if (text[i] == '"')
			buf_append_text(ret_text, "&quot;");
		else if (text[i] == '<')
			buf_append_text(ret_text, "&lt;");
		else if (text[i] == '>')
			buf_append_text(ret_text, "&gt;");
		else
			buf_append_char(ret_text, text[i]);
	}
}

/* The partials of one test, compiled when they are asked for. */
struct partials {
	const json_t *texts;
	struct mustache *compiled[8];
	const char *names[8];
	size_t count;
};

static int find_partial(
	void *data, const char *name, const struct mustache **ret_partial, struct err *err)
{
	struct partials *partials = data;
	const json_t *text = json_object_get(partials->texts, name);
	int r;

	if (!text)
		return 0;
	for (size_t i = 0; i < partials->count; i++)
		if (text_equal(partials->names[i], name)) {
			*ret_partial = partials->compiled[i];
			return 0;
		}
	assert_true(partials->count < 8);
	r = mustache_compile(name, json_string_value(text), json_string_length(text),
		&partials->compiled[partials->count], err);
	if (r < 0)
		return r;
	partials->names[partials->count] = json_object_iter_key(
		json_object_iter_at((json_t *)(uintptr_t)partials->texts, name));
	*ret_partial = partials->compiled[partials->count++];
	return 0;
}

static void partials_deinit(struct partials *partials)
{
	for (size_t i = 0; i < partials->count; i++)
		mustache_free(partials->compiled[i]);
}

/* Compiles and renders; ret_text is empty when that fails. */
static int render(const char *template, const json_t *view, const json_t *texts,
	struct buf *ret_text, struct err *err)
{
	CLEANUP(partials_deinit) struct partials partials = {.texts = texts};
	struct mustache_dialect dialect = {
		.escape = escape_html, .find_partial = find_partial, .data = &partials};
	cleanup_mustache struct mustache *mustache = NULL;
	int r;

	buf_clear(ret_text);
	r = mustache_compile("test", template, strlen(template), &mustache, err);
	if (r < 0)
		return r;
	return mustache_render(mustache, view, &dialect, ret_text, err);
}

static size_t run_spec_file(const char *name)
{
	cleanup_free char *path = xformat("tests/data/mustache-spec/%s.json", name);
	json_auto_t *spec = json_load_file(path, 0, NULL);
	cleanup_buf struct buf text = BUF_INIT(MIB);
	const json_t *test;
	size_t index;

	assert_non_null(spec);
	json_array_foreach(json_object_get(spec, "tests"), index, test)
	{
		struct err err = ERR_NONE;
		int r = render(json_string_value(json_object_get(test, "template")),
			json_object_get(test, "data"), json_object_get(test, "partials"), &text,
			&err);

		if (r < 0 || !text_equal(buf_text(&text),
				     json_string_value(json_object_get(test, "expected"))))
			fail_msg("%s: %s: '%s' %s", name,
				json_string_value(json_object_get(test, "name")), buf_text(&text),
				err.text);
	}
	return index;
}

static void every_published_case_passes(void **state)
{
	size_t cases = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(spec_files) / sizeof(spec_files[0]); i++)
		cases += run_spec_file(spec_files[i]);
	assert_int_equal(cases, SPEC_CASES);
}

static void assert_compile_error(const char *template, const char *expected)
{
	struct mustache *mustache = NULL;
	struct err err = ERR_NONE;

	assert_int_equal(
		mustache_compile("t", template, strlen(template), &mustache, &err), -EINVAL);
	assert_string_equal(err.text, expected);
	assert_null(mustache);
}

static void a_wrong_template_is_refused_with_its_line(void **state)
{
	(void)state;
	assert_compile_error("a\n\n{{b\nc", "template t, line 3: a tag is not closed: {{b");
	assert_compile_error("a\n{{{b}} x", "template t, line 2: a tag is not closed: {{{b}} x");
	assert_compile_error("\n{{}}", "template t, line 2: a tag has no name");
	assert_compile_error("{{a b}}", "template t, line 1: a name holds a space: a b");
	assert_compile_error(
		"{{a..b}}", "template t, line 1: a dotted name has an empty part: a..b");
	assert_compile_error(
		".\n{{#a}}\n{{#b}}\n{{/b}}\n", "template t, line 2: a section is not closed: a");
	assert_compile_error("{{#a}}\n{{#b}}\n{{/a}}{{/b}}",
		"template t, line 3: another section is open here than the one closed: a");
	assert_compile_error("\n\n{{/a}}", "template t, line 3: a section is closed that was not "
					   "opened: a");
	assert_compile_error(
		"{{=<%=}}", "template t, line 1: delimiters are two words without '='");
	assert_compile_error(
		"{{=<% %> x=}}", "template t, line 1: delimiters are two words without '='");
}

static void sections_that_nest_too_deeply_are_refused(void **state)
{
	cleanup_buf struct buf template = BUF_INIT(MIB);

	(void)state;
	for (unsigned i = 0; i < 33; i++)
		buf_append_text(&template, "{{#a}}");
	for (unsigned i = 0; i < 33; i++)
		buf_append_text(&template, "{{/a}}");
	assert_compile_error(
		buf_text(&template), "template t, line 1: sections nest too deeply: a");
}

static void a_partial_that_never_ends_is_an_error(void **state)
{
	json_auto_t *texts = json_pack("{s:s}", "again", "x{{>again}}");
	json_auto_t *view = json_object();
	cleanup_buf struct buf text = BUF_INIT(MIB);
	struct err err = ERR_NONE;

	(void)state;
	assert_int_equal(render("{{>again}}", view, texts, &text, &err), -EINVAL);
	assert_string_equal(err.text, "template again, line 1: 'again' nests partials too deeply");
}

static void a_wrong_partial_is_an_error_with_both_places(void **state)
{
	json_auto_t *texts = json_pack("{s:s}", "inner", "\n{{#x}}");
	json_auto_t *view = json_object();
	cleanup_buf struct buf text = BUF_INIT(MIB);
	struct err err = ERR_NONE;

	(void)state;
	assert_int_equal(render("a\n{{>inner}}", view, texts, &text, &err), -EINVAL);
	assert_string_equal(err.text,
		"template test, line 2: template inner, line 2: a section is not closed: x");
}

static void an_object_where_a_value_belongs_is_an_error(void **state)
{
	json_auto_t *view = json_pack("{s:{}, s:[]}", "object", "list");
	cleanup_buf struct buf text = BUF_INIT(MIB);
	struct err err = ERR_NONE;

	(void)state;
	assert_int_equal(render("\n{{object}}", view, NULL, &text, &err), -EINVAL);
	assert_string_equal(
		err.text, "template test, line 2: 'object' is an object or a list, not a value");
	assert_int_equal(render("{{list}}", view, NULL, &text, &err), -EINVAL);
}

static void a_text_that_outgrows_its_buffer_is_an_error(void **state)
{
	json_auto_t *view = json_pack("{s:s}", "x", "0123456789");
	cleanup_buf struct buf text = BUF_INIT(25);
	struct err err = ERR_NONE;

	(void)state;
	assert_int_equal(render("{{x}}{{x}}", view, NULL, &text, &err), 0);
	assert_int_equal(render("{{x}}{{x}}{{x}}", view, NULL, &text, &err), -EMSGSIZE);
	assert_string_equal(err.text, "template test: the text would be larger than 25 bytes");
}

static void a_value_is_never_read_as_template(void **state)
{
	json_auto_t *view = json_pack("{s:s, s:s}", "x", "{{y}}{{#y}}{{=<% %>=}}", "y", "no");
	cleanup_buf struct buf text = BUF_INIT(MIB);

	(void)state;
	assert_int_equal(render("{{x}}", view, NULL, &text, NULL), 0);
	assert_string_equal(buf_text(&text), "{{y}}{{#y}}{{=&lt;% %&gt;=}}");
}

static void indentation_of_partials_adds_up_and_spares_empty_lines(void **state)
{
	json_auto_t *texts = json_pack(
		"{s:s, s:s}", "outer", "o\n\n  {{>inner}}\n{{x}} {{>inner}}\n", "inner", "i\nj\n");
	json_auto_t *view = json_pack("{s:s}", "x", "a\nb");
	cleanup_buf struct buf text = BUF_INIT(MIB);

	(void)state;
	assert_int_equal(render(" {{>outer}}\n.", view, texts, &text, NULL), 0);
	assert_string_equal(buf_text(&text), " o\n\n   i\n   j\n a\nb i\nj\n\n.");
}

static void without_an_escape_values_stay_as_they_are(void **state)
{
	json_auto_t *view = json_pack("{s:s}", "x", "<&>");
	cleanup_mustache struct mustache *mustache = NULL;
	cleanup_buf struct buf text = BUF_INIT(MIB);
	struct mustache_dialect dialect = {.escape = NULL};

	(void)state;
	assert_int_equal(mustache_compile("t", "{{x}}{{>none}}", 14, &mustache, NULL), 0);
	assert_int_equal(mustache_render(mustache, view, &dialect, &text, NULL), 0);
	assert_string_equal(buf_text(&text), "<&>");
}

static double seconds_to_render(size_t count)
{
	static const char template[] = "{{#list}}{{a}} {{deep.er}} {{^b}}{{c}}{{/b}}\n{{/list}}";
	json_auto_t *list = json_array();
	json_auto_t *view = json_pack("{s:O}", "list", list);
	cleanup_buf struct buf text = BUF_INIT(64 * MIB);
	struct timespec before, after;

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list,
			json_pack("{s:i, s:{s:s}, s:s}", "a", (int)i, "deep", "er", "x", "c", "y"));
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
	assert_int_equal(render(template, view, NULL, &text, NULL), 0);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
	return (double)(after.tv_sec - before.tv_sec) +
	       (double)(after.tv_nsec - before.tv_nsec) / 1e9;
}

static void the_time_grows_with_the_view_not_with_its_square(void **state)
{
	double few, many;

	(void)state;
	seconds_to_render(1000);
	few = seconds_to_render(2000);
	many = seconds_to_render(40000);
	/* 20 times as much; a square would be 400 times. */
	assert_true(many < 100 * few);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_published_case_passes),
		cmocka_unit_test(a_wrong_template_is_refused_with_its_line),
		cmocka_unit_test(sections_that_nest_too_deeply_are_refused),
		cmocka_unit_test(a_partial_that_never_ends_is_an_error),
		cmocka_unit_test(a_wrong_partial_is_an_error_with_both_places),
		cmocka_unit_test(an_object_where_a_value_belongs_is_an_error),
		cmocka_unit_test(a_text_that_outgrows_its_buffer_is_an_error),
		cmocka_unit_test(a_value_is_never_read_as_template),
		cmocka_unit_test(indentation_of_partials_adds_up_and_spares_empty_lines),
		cmocka_unit_test(without_an_escape_values_stay_as_they_are),
		cmocka_unit_test(the_time_grows_with_the_view_not_with_its_square),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
