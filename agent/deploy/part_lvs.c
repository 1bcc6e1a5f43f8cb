/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/part.h"
#include "deploy/vrrp_check.h"
#include "lvs/instance.h"
#include "lvs/running.h"

static void acquire(struct part *part)
{
	part->instance = lvs_instance_acquire(part->site->lvs, &part->id);
}

static void release(struct part *part)
{
	lvs_instance_release(part->instance);
}

static int read_installed(const struct part *part, struct buf *ret_text, struct err *err)
{
	return lvs_instance_read(part->site->lvs, &part->id, ret_text, err);
}

static bool is_stopped(const struct part *part)
{
	return lvs_instance_is_stopped(part->site->lvs, &part->id);
}

static bool is_running(const struct part *part)
{
	return lvs_instance_is_running(part->site->lvs, &part->id);
}

static int check(
	const struct part *part, const struct buf *text, struct buf *ret_output, struct err *err)
{
	return lvs_instance_check(
		part->instance, buf_text(text), text->size_bytes, ret_output, err);
}

static enum applied predict(const struct part *part, const struct buf *text)
{
	if (!is_running(part))
		return APPLIED_START;
	return lvs_running_has(lvs_site_base_path(part->site->lvs), &part->id, buf_text(text),
		       text->size_bytes)
		       ? APPLIED_NONE
		       : APPLIED_RELOAD;
}

static int install(const struct part *part, const struct buf *text, struct err *err)
{
	return lvs_instance_install(part->instance, buf_text(text), text->size_bytes, err);
}

/* keepalived's words are in err. */
static int take_up(
	const struct part *part, enum applied *ret_applied, struct buf *ret_output, struct err *err)
{
	static const enum applied as[] = {
		[LVS_APPLIED_NONE] = APPLIED_NONE,
		[LVS_APPLIED_RELOAD] = APPLIED_RELOAD,
		[LVS_APPLIED_START] = APPLIED_START,
		[LVS_APPLIED_STOP] = APPLIED_STOP,
	};
	enum lvs_applied applied;
	int r = lvs_instance_reload(part->instance, &applied, err);

	(void)ret_output;
	if (r == 0)
		*ret_applied = as[applied];
	return r;
}

static int stop(const struct part *part, struct err *err)
{
	enum lvs_applied applied;
	int r = lvs_instance_stop(part->instance, &applied, err);

	/* The others may take longer than keepalived puts up with. */
	vrrp_check_refresh(part->site);
	return r;
}

static int remove_installed(const struct part *part, struct err *err)
{
	return lvs_instance_delete(part->instance, err);
}

const struct part_kind part_lvs = {
	.name = "lvs",
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
