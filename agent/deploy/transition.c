/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/transition.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"

enum { OUTPUT_MAX_BYTES = 64 * KIB };

static bool is_in_place(const struct part *part, const struct part_state *state)
{
	cleanup_buf struct buf present = BUF_INIT(state->text.size_bytes);

	return part->kind->read(part, &present, NULL) == 0 &&
	       present.size_bytes == state->text.size_bytes &&
	       memcmp(buf_text(&present), buf_text(&state->text), present.size_bytes) == 0;
}

static int state_install(const struct part *part, const struct part_state *state, struct err *err)
{
	if (!state->is_installed || is_in_place(part, state))
		return 0;
	return part->kind->install(part, &state->text, err);
}

/* One that is not there needs no stop. */
static int part_stop(const struct part *part, enum applied *ret_applied, struct err *err)
{
	bool ran = part->kind->is_running(part);
	int r = part->kind->stop(part, err);

	if (r == -ENOENT)
		return 0;
	*ret_applied = ran ? APPLIED_STOP : APPLIED_NONE;
	return r;
}

/* What is in place and in use already is left alone. */
static bool is_settled(const struct part *part)
{
	return !part->changes && part->kind->predict(part, &part->after.text) == APPLIED_NONE;
}

static int part_advance(
	const struct part *part, enum applied *ret_applied, struct buf *ret_output, struct err *err)
{
	if (!part->after.is_installed)
		return 0;
	if (part->after.is_stopped)
		return part_stop(part, ret_applied, err);
	if (is_settled(part))
		return 0;
	return part->kind->take_up(part, ret_applied, ret_output, err);
}

static void strengthen(enum applied *applied, enum applied other)
{
	if (other > *applied)
		*applied = other;
}

int transition_advance(const struct parts *parts, enum applied *ret_applied,
	const struct part **ret_failed, struct buf *ret_output, struct err *err)
{
	int r = 0;

	*ret_applied = APPLIED_NONE;
	/* HAProxy, the first, is installed last. */
	for (size_t i = parts->count; r == 0 && i-- > 0;) {
		*ret_failed = &parts->items[i];
		r = state_install(&parts->items[i], &parts->items[i].after, err);
	}
	for (size_t i = 0; r == 0 && i < parts->count; i++) {
		enum applied applied = APPLIED_NONE;

		*ret_failed = &parts->items[i];
		if (!parts->items[i].after.is_installed)
			r = part_stop(&parts->items[i], &applied, err);
		strengthen(ret_applied, applied);
	}
	for (size_t i = 0; r == 0 && i < parts->count; i++) {
		enum applied applied = APPLIED_NONE;

		*ret_failed = &parts->items[i];
		r = part_advance(&parts->items[i], &applied, ret_output, err);
		strengthen(ret_applied, applied);
	}
	return r;
}

enum applied transition_predict(const struct parts *parts)
{
	enum applied strongest = APPLIED_NONE;

	for (size_t i = 0; i < parts->count; i++) {
		const struct part *part = &parts->items[i];

		if (part->after.is_installed && !part->after.is_stopped)
			strengthen(&strongest, part->kind->predict(part, &part->after.text));
		else if (part->before.is_running)
			strengthen(&strongest, APPLIED_STOP);
	}
	return strongest;
}

void transition_finish(const struct parts *parts)
{
	for (size_t i = 0; i < parts->count; i++) {
		const struct part *part = &parts->items[i];
		struct err err = ERR_NONE;

		if (!part->after.is_installed && part->kind->remove(part, &err) < 0) {
			cleanup_free char *title = part_title(part);

			log_error("%s is stopped, but not deleted: %s", title, err.text);
		}
	}
}

static void failure_log(
	const struct part *part, int r, const struct buf *output, const struct err *err)
{
	cleanup_free char *title = part_title(part);

	if (r < 0)
		log_error("%s: going back to what was before: %s%s%s", title, err->text,
			output && output->size_bytes ? "; it says: " : "",
			output ? buf_text(output) : "");
}

/*
 * A marker is put back by the call that sets it. What did not run before, and does not now, is not
 * started: that is no part of going back.
 */
static int take_up_again(const struct part *part, struct buf *ret_output, struct err *err)
{
	enum applied applied;

	if (part->before.is_stopped)
		return part_stop(part, &applied, err);
	if (!part->before.is_running && !part->kind->is_running(part) &&
		!part->kind->is_stopped(part))
		return 0;
	return part->kind->take_up(part, &applied, ret_output, err);
}

void transition_put_back(const struct parts *parts)
{
	for (size_t i = 0; i < parts->count; i++) {
		const struct part *part = &parts->items[i];
		struct err err = ERR_NONE;
		int r = 0;

		if (part->changes)
			r = part->before.is_installed ? state_install(part, &part->before, &err)
						      : part->kind->remove(part, &err);
		failure_log(part, r, NULL, &err);
	}
}

void transition_take_up_again(const struct parts *parts, const struct part *silent)
{
	for (size_t i = 0; i < parts->count; i++) {
		const struct part *part = &parts->items[i];
		cleanup_buf struct buf output = BUF_INIT(OUTPUT_MAX_BYTES);
		struct err err = ERR_NONE;

		if (!part->changes || !part->before.is_installed || part == silent)
			continue;
		failure_log(part, take_up_again(part, &output, &err), &output, &err);
	}
}
