/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/transition.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/text.h"

/* A daemon that lives in memory; texts "": there is none. */
struct daemon {
	char installed[16];
	char running[16];
	bool is_stopped;
};

/* Which step from now fails; 0: none. */
static unsigned fail_at;
static unsigned step;

static int step_begin(struct err *err)
{
	return ++step == fail_at ? err_set(err, -EIO, "step %u fails", step) : 0;
}

static struct daemon *daemon_of(const struct part *part)
{
	return part->instance;
}

static int fake_read(const struct part *part, struct buf *ret_text, struct err *err)
{
	if (!daemon_of(part)->installed[0])
		return err_set(err, -ENOENT, "nothing is installed");
	buf_append_text(ret_text, daemon_of(part)->installed);
	return 0;
}

static bool fake_is_stopped(const struct part *part)
{
	return daemon_of(part)->is_stopped;
}

static bool fake_is_running(const struct part *part)
{
	return daemon_of(part)->running[0];
}

static enum applied fake_predict(const struct part *part, const struct buf *text)
{
	if (!fake_is_running(part))
		return APPLIED_START;
	return text_equal(daemon_of(part)->running, buf_text(text)) ? APPLIED_NONE : APPLIED_RELOAD;
}

static int fake_install(const struct part *part, const struct buf *text, struct err *err)
{
	int r = step_begin(err);

	if (r == 0)
		snprintf(daemon_of(part)->installed, sizeof(daemon_of(part)->installed), "%s",
			buf_text(text));
	return r;
}

/* One that fails has begun, and has ended what ran. */
static int fake_take_up(
	const struct part *part, enum applied *ret_applied, struct buf *ret_output, struct err *err)
{
	struct daemon *daemon = daemon_of(part);
	enum applied applied = daemon->running[0] ? APPLIED_RELOAD : APPLIED_START;
	int r = step_begin(err);

	(void)ret_output;
	daemon->is_stopped = false;
	snprintf(daemon->running, sizeof(daemon->running), "%s", r < 0 ? "" : daemon->installed);
	if (r == 0)
		*ret_applied = applied;
	return r;
}

/* One that fails has set its marker. */
static int fake_stop(const struct part *part, struct err *err)
{
	struct daemon *daemon = daemon_of(part);
	int r;

	if (!daemon->installed[0])
		return err_set(err, -ENOENT, "nothing is installed");
	daemon->is_stopped = true;
	r = step_begin(err);
	if (r == 0)
		daemon->running[0] = '\0';
	return r;
}

static int fake_remove(const struct part *part, struct err *err)
{
	int r = step_begin(err);

	if (r == 0)
		*daemon_of(part) = (struct daemon){.installed = ""};
	return r;
}

static const struct part_kind fake = {
	.name = "fake",
	.read = fake_read,
	.is_stopped = fake_is_stopped,
	.is_running = fake_is_running,
	.predict = fake_predict,
	.install = fake_install,
	.take_up = fake_take_up,
	.stop = fake_stop,
	.remove = fake_remove,
};

/* One that changes, is added, removed, stopped, started, and one that stays as it is. */
enum { PARTS = 6 };
static const struct daemon before[PARTS] = {
	{"old", "old", false},
	{"", "", false},
	{"old", "old", false},
	{"old", "old", false},
	{"old", "", true},
	{"old", "old", false},
};
static const struct daemon after[PARTS] = {
	{"new", "new", false},
	{"new", "new", false},
	{"", "", false},
	{"new", "", true},
	{"new", "new", false},
	{"old", "old", false},
};

static struct daemon daemons[PARTS];

static void parts_make(struct parts *parts)
{
	memcpy(daemons, before, sizeof(daemons));
	step = 0;
	*parts = (struct parts){NULL};
	for (size_t i = 0; i < PARTS; i++) {
		cleanup_buf struct buf text = BUF_INIT(KIB);

		assert_int_equal(parts_add(parts, &fake, NULL, &(const struct id){"d"}, &daemons[i],
					 NULL) < 0,
			0);
		buf_append_text(&text, after[i].installed);
		part_set_after(
			&parts->items[i], text.size_bytes ? &text : NULL, after[i].is_stopped);
	}
}

static void assert_daemons(const struct daemon expected[PARTS])
{
	for (size_t i = 0; i < PARTS; i++) {
		assert_string_equal(daemons[i].installed, expected[i].installed);
		assert_string_equal(daemons[i].running, expected[i].running);
		assert_int_equal(daemons[i].is_stopped, expected[i].is_stopped);
	}
}

static int advance(const struct parts *parts, enum applied *ret_applied)
{
	cleanup_buf struct buf output = BUF_INIT(KIB);
	const struct part *failed;

	return transition_advance(parts, ret_applied, &failed, &output, NULL);
}

static void what_ought_to_be_is_and_the_strongest_part_is_told(void **state)
{
	cleanup_parts struct parts parts;
	enum applied applied;

	(void)state;
	fail_at = 0;
	parts_make(&parts);
	assert_int_equal(transition_predict(&parts), APPLIED_START);
	assert_int_equal(advance(&parts, &applied), 0);
	assert_int_equal(applied, APPLIED_START);
	/* Until it is for good, nothing is removed. */
	assert_string_equal(daemons[2].installed, "old");
	assert_true(daemons[2].is_stopped);
	transition_finish(&parts);
	assert_daemons(after);
}

static void the_first_part_is_installed_last(void **state)
{
	cleanup_parts struct parts parts;
	enum applied applied;
	unsigned installs = 4;

	(void)state;
	fail_at = installs;
	parts_make(&parts);
	assert_int_equal(advance(&parts, &applied), -EIO);
	assert_string_equal(daemons[0].installed, "old");
	assert_string_equal(daemons[1].installed, "new");
	assert_string_equal(daemons[4].installed, "new");
}

static void whichever_step_fails_all_goes_back(void **state)
{
	enum applied applied;
	unsigned failures = 0;
	bool failed;

	(void)state;
	for (fail_at = 1, failed = true; failed; fail_at++) {
		cleanup_parts struct parts parts;

		parts_make(&parts);
		failed = advance(&parts, &applied) < 0;
		if (!failed)
			break;
		failures++;
		transition_put_back(&parts);
		transition_take_up_again(&parts, NULL);
		assert_daemons(before);
	}
	/* Four installs, two stops, three to be taken up. */
	assert_int_equal(failures, 9);
}

static void what_an_earlier_agent_left_goes_back_wherever_it_was(void **state)
{
	enum applied applied;

	(void)state;
	for (fail_at = 1; fail_at < 10; fail_at++) {
		struct parts parts;
		struct parts found = {NULL};

		parts_make(&parts);
		advance(&parts, &applied);
		/* The next agent knows what the log says, and what runs now. */
		for (size_t i = 0; i < PARTS; i++) {
			struct part *part;

			if (!parts.items[i].changes)
				continue;
			parts_add(&found, &fake, NULL, &(const struct id){"d"}, &daemons[i], NULL);
			part = &found.items[found.count - 1];
			part->changes = true;
			part->before.is_installed = before[i].installed[0];
			part->before.is_stopped = before[i].is_stopped;
			buf_clear(&part->before.text);
			buf_append_text(&part->before.text, before[i].installed);
		}
		transition_put_back(&found);
		transition_take_up_again(&found, NULL);
		for (size_t i = 0; i < PARTS; i++) {
			assert_string_equal(daemons[i].installed, before[i].installed);
			assert_int_equal(daemons[i].is_stopped, before[i].is_stopped);
			/* One that ended is started by its module's own restore. */
			if (daemons[i].running[0])
				assert_string_equal(daemons[i].running, before[i].running);
		}
		parts_deinit(&found);
		parts_deinit(&parts);
	}
}

static void what_did_not_run_is_not_started_by_going_back(void **state)
{
	cleanup_parts struct parts parts;
	enum applied applied;

	(void)state;
	fail_at = 0;
	parts_make(&parts);
	daemons[0].running[0] = '\0';
	parts.items[0].before.is_running = false;
	fail_at = 4; /* the last install */
	assert_int_equal(advance(&parts, &applied), -EIO);
	transition_put_back(&parts);
	transition_take_up_again(&parts, NULL);
	assert_string_equal(daemons[0].installed, "old");
	assert_string_equal(daemons[0].running, "");
}

static void only_the_part_that_was_silent_is_not_taken_up_again(void **state)
{
	cleanup_buf struct buf output = BUF_INIT(KIB);
	cleanup_parts struct parts parts;
	const struct part *failed = NULL;
	enum applied applied;

	(void)state;
	fail_at = 7; /* the second to be taken up */
	parts_make(&parts);
	assert_int_equal(transition_advance(&parts, &applied, &failed, &output, NULL), -EIO);
	assert_string_equal(daemons[0].running, "new");
	transition_put_back(&parts);
	transition_take_up_again(&parts, failed);
	assert_ptr_equal(failed, &parts.items[1]);
	assert_daemons(before);
	transition_take_up_again(&parts, NULL);
	daemons[0] = (struct daemon){"old", "new", false};
	transition_take_up_again(&parts, &parts.items[0]);
	assert_string_equal(daemons[0].running, "new");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_ought_to_be_is_and_the_strongest_part_is_told),
		cmocka_unit_test(the_first_part_is_installed_last),
		cmocka_unit_test(whichever_step_fails_all_goes_back),
		cmocka_unit_test(what_an_earlier_agent_left_goes_back_wherever_it_was),
		cmocka_unit_test(what_did_not_run_is_not_started_by_going_back),
		cmocka_unit_test(only_the_part_that_was_silent_is_not_taken_up_again),
	};

	return cmocka_run_group_tests_name("transition", tests, NULL, NULL);
}
