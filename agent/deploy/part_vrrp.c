/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"
#include "deploy/part.h"
#include "deploy/vrrp_check.h"
#include "keepalived/vrrp.h"

static void acquire(struct part *part)
{
	part->instance = vrrp_acquire(part->site->keepalived);
}

static void release(struct part *part)
{
	vrrp_release(part->instance);
}

static int read_installed(const struct part *part, struct buf *ret_text, struct err *err)
{
	return vrrp_read(part->site->keepalived, ret_text, err);
}

static bool is_stopped(const struct part *part)
{
	return vrrp_is_stopped(part->site->keepalived);
}

static bool is_running(const struct part *part)
{
	return vrrp_is_running(part->site->keepalived);
}

static int check(
	const struct part *part, const struct buf *text, struct buf *ret_output, struct err *err)
{
	return vrrp_check_config(part->instance, buf_text(text), text->size_bytes, ret_output, err);
}

/*
 * Which config a VRRP instance runs with is written nowhere, but one that a deployment installed
 * was taken up with it, or is undone.
 */
static enum applied predict(const struct part *part, const struct buf *text)
{
	if (!is_running(part))
		return APPLIED_START;
	return part->before.is_installed && text_equal(buf_text(text), buf_text(&part->before.text))
		       ? APPLIED_NONE
		       : APPLIED_RELOAD;
}

static int install(const struct part *part, const struct buf *text, struct err *err)
{
	return vrrp_install(part->instance, buf_text(text), text->size_bytes, err);
}

/*
 * The others have been taken up: a keepalived whose first check finds nobody to ask waits for two
 * good ones before it holds the VIP. Its words are in err.
 */
static int take_up(
	const struct part *part, enum applied *ret_applied, struct buf *ret_output, struct err *err)
{
	bool started;
	int r;

	(void)ret_output;
	vrrp_check_refresh(part->site);
	r = vrrp_start(part->instance, &started, err);
	if (r == 0)
		*ret_applied = started ? APPLIED_START : APPLIED_RELOAD;
	return r;
}

static int stop(const struct part *part, struct err *err)
{
	return vrrp_stop(part->instance, err);
}

static int remove_installed(const struct part *part, struct err *err)
{
	return vrrp_delete(part->instance, err);
}

const struct part_kind part_vrrp = {
	.name = "vrrp",
	.acquire = acquire,
	.release = release,
	.read = read_installed,
	.is_stopped = is_stopped,
	.is_running = is_running,
	.check = check,
	.predict = predict,
	.install = install,
	.take_up = take_up,
	.stop = stop,
	.remove = remove_installed,
};
