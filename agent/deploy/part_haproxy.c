/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "deploy/part.h"
#include "deploy/vrrp_check.h"
#include "haproxy/instance.h"

static void acquire(struct part *part)
{
	part->instance = haproxy_instance_acquire(part->site->haproxy, &part->id);
}

static void release(struct part *part)
{
	haproxy_instance_release(part->instance);
}

static int read_installed(const struct part *part, struct buf *ret_text, struct err *err)
{
	return haproxy_instance_read(part->site->haproxy, &part->id, ret_text, err);
}

static bool is_stopped(const struct part *part)
{
	return haproxy_instance_is_stopped(part->site->haproxy, &part->id);
}

static bool is_running(const struct part *part)
{
	return haproxy_instance_is_running(part->site->haproxy, &part->id);
}

static int check(
	const struct part *part, const struct buf *text, struct buf *ret_output, struct err *err)
{
	return haproxy_instance_check(
		part->instance, buf_text(text), text->size_bytes, ret_output, err);
}

static enum applied applied_of(enum haproxy_applied applied)
{
	switch (applied) {
	case HAPROXY_APPLIED_NONE:
		return APPLIED_NONE;
	case HAPROXY_APPLIED_RUNTIME:
		return APPLIED_RUNTIME;
	case HAPROXY_APPLIED_RELOAD:
		return APPLIED_RELOAD;
	case HAPROXY_APPLIED_START:
		return APPLIED_START;
	default:
		return APPLIED_STOP;
	}
}

static enum applied predict(const struct part *part, const struct buf *text)
{
	return applied_of(
		haproxy_instance_predict(part->instance, buf_text(text), text->size_bytes));
}

static int install(const struct part *part, const struct buf *text, struct err *err)
{
	return haproxy_instance_install(part->instance, buf_text(text), text->size_bytes, err);
}

static int take_up(
	const struct part *part, enum applied *ret_applied, struct buf *ret_output, struct err *err)
{
	enum haproxy_applied applied;
	int r = haproxy_instance_reload(part->instance, &applied, ret_output, err);

	if (r == 0)
		*ret_applied = applied_of(applied);
	return r;
}

static int stop(const struct part *part, struct err *err)
{
	enum haproxy_applied applied;
	int r = haproxy_instance_stop(part->instance, &applied, err);

	/* The others may take longer than keepalived puts up with. */
	vrrp_check_refresh(part->site);
	return r;
}

static int remove_installed(const struct part *part, struct err *err)
{
	return haproxy_instance_uninstall(part->instance, err);
}

const struct part_kind part_haproxy = {
	.name = "haproxy",
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
