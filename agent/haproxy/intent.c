/* SPDX-License-Identifier: Apache-2.0 */
#include "haproxy/intent.h"

#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "haproxy/certificate.h"
#include "haproxy/launch.h"
#include "haproxy/server_state.h"

void haproxy_intent_deinit(struct haproxy_intent *intent)
{
	haproxy_running_deinit(&intent->before);
	haproxy_running_deinit(&intent->after);
	haproxy_runtime_plan_deinit(&intent->plan);
}

/* NONE, RUNTIME or RELOAD for a worker about which before and after are known. */
static enum haproxy_applied intent_compare(
	const struct haproxy_instance *instance, struct haproxy_intent *intent)
{
	const struct haproxy_running *before = &intent->before;
	const struct haproxy_running *after = &intent->after;
	struct err err = ERR_NONE;

	if (!text_equal(buf_text(&before->files), buf_text(&after->files))) {
		log_debug("load balancer %s: a file that its config names has changed",
			instance->id.text);
		return HAPROXY_APPLIED_RELOAD;
	}
	if (haproxy_runtime_plan_make(buf_text(&before->config), before->config.size_bytes,
		    buf_text(&after->config), after->config.size_bytes,
		    instance->site->members_start_down, &intent->plan, &err) < 0) {
		log_debug("load balancer %s: needs a reload: %s", instance->id.text, err.text);
		return HAPROXY_APPLIED_RELOAD;
	}
	return intent->plan.count > 0 ? HAPROXY_APPLIED_RUNTIME : HAPROXY_APPLIED_NONE;
}

void haproxy_intent_make(const struct haproxy_instance *instance, const char *text,
	size_t size_bytes, struct haproxy_intent *ret_intent)
{
	struct haproxy_intent *intent = ret_intent;

	*intent = (struct haproxy_intent){.applied = HAPROXY_APPLIED_RELOAD};
	intent->knows_after =
		haproxy_running_observe(instance, text, size_bytes, &intent->after, NULL) == 0;
	if (!haproxy_instance_is_running(instance->site, &instance->id)) {
		intent->applied = HAPROXY_APPLIED_START;
		return;
	}
	intent->worker = haproxy_launch_worker(instance->site, &instance->id);
	intent->knows_before = intent->worker && haproxy_running_load(instance, intent->worker,
							 &intent->before, NULL) == 0;
	if (intent->knows_before && intent->knows_after)
		intent->applied = intent_compare(instance, intent);
}

/* What cannot be remembered costs a reload next time, no more. */
static void remember(const struct haproxy_instance *instance, pid_t worker,
	const struct haproxy_running *running)
{
	struct err err = ERR_NONE;

	if (haproxy_running_store(instance, worker, running, &err) < 0)
		log_warning("load balancer %s: %s", instance->id.text, err.text);
}

/* The config starts a new process: with health of servers for one reload, without for a start. */
static void state_prepare(const struct haproxy_instance *instance,
	const struct haproxy_intent *intent, const char *text, size_t size_bytes)
{
	struct err err = ERR_NONE;

	if (intent->worker &&
		haproxy_server_state_save(instance, intent->worker, text, size_bytes, &err) == 0)
		return;
	if (intent->worker)
		log_warning("load balancer %s: %s", instance->id.text, err.text);
	if (haproxy_server_state_reset(instance, &err) < 0)
		log_warning("load balancer %s: %s", instance->id.text, err.text);
}

/* HAProxy tells only here that it has fewer open files than its config's connections need. */
static void warning_log(const struct haproxy_instance *instance)
{
	static const char marker[] = "FD limit";
	cleanup_free char *path =
		haproxy_site_path(instance->site, &instance->id, HAPROXY_FILE_OUTPUT);
	cleanup_buf struct buf output = BUF_INIT(HAPROXY_OUTPUT_MAX_BYTES);
	const char *line;

	file_read(path, &output, NULL);
	line = strstr(buf_text(&output), marker);
	if (!line)
		return;
	while (line > buf_text(&output) && line[-1] != '\n')
		line--;
	log_warning("load balancer %s: haproxy: %.*s", instance->id.text, (int)strcspn(line, "\n"),
		line);
}

/* A new process, by start or reload, for what intent found out about text. */
static int process_replace(const struct haproxy_instance *instance, struct haproxy_intent *intent,
	const char *text, size_t size_bytes, struct buf *ret_output, struct err *err)
{
	bool starts = intent->applied == HAPROXY_APPLIED_START;
	pid_t worker;
	int r;

	state_prepare(instance, intent, text, size_bytes);
	r = haproxy_running_forget(instance, err);
	if (r < 0)
		return r;
	if (starts)
		r = haproxy_launch_start(instance, &worker, ret_output, err);
	else
		r = haproxy_launch_reload(instance, &worker, ret_output, err);
	/* Whatever was handed over is no longer true for a process that starts later. */
	haproxy_server_state_reset(instance, NULL);
	if (r < 0)
		return r;
	if (intent->knows_after)
		remember(instance, worker, &intent->after);
	warning_log(instance);
	return 0;
}

static int process_reload(struct haproxy_instance *instance, struct haproxy_intent *intent,
	const char *text, size_t size_bytes, struct buf *ret_output, struct err *err)
{
	bool was_touched = intent->applied == HAPROXY_APPLIED_RUNTIME;
	int r;

	if (intent->applied != HAPROXY_APPLIED_START)
		intent->applied = HAPROXY_APPLIED_RELOAD;
	r = process_replace(instance, intent, text, size_bytes, ret_output, err);
	if (r == 0) {
		haproxy_certificate_prune(instance, buf_text(&intent->before.files));
		return 0;
	}
	/* The old worker goes on as it was, unless a run-time change stopped half-way. */
	if (r == -EBADMSG && intent->knows_before && !was_touched)
		remember(instance, intent->worker, &intent->before);
	return r;
}

/* 0 when the running worker took the changes; else it is in between, and must be replaced. */
static int process_change(const struct haproxy_instance *instance,
	const struct haproxy_intent *intent, struct err *err)
{
	cleanup_free char *master_socket =
		haproxy_site_path(instance->site, &instance->id, HAPROXY_FILE_MASTER_SOCKET);
	int r = haproxy_running_forget(instance, err);

	if (r == 0)
		r = haproxy_runtime_plan_apply(&intent->plan, master_socket, intent->worker, err);
	if (r == 0)
		remember(instance, intent->worker, &intent->after);
	return r;
}

int haproxy_intent_fulfil(struct haproxy_instance *instance, struct haproxy_intent *intent,
	const char *text, size_t size_bytes, struct buf *ret_output, struct err *err)
{
	struct err why = ERR_NONE;

	switch (intent->applied) {
	case HAPROXY_APPLIED_NONE:
		/* Comments may differ, and a model's name is one. */
		if (!text_equal(buf_text(&intent->before.config), buf_text(&intent->after.config)))
			remember(instance, intent->worker, &intent->after);
		return 0;
	case HAPROXY_APPLIED_RUNTIME:
		if (process_change(instance, intent, &why) == 0)
			return 0;
		log_info("load balancer %s: reloads, because %s", instance->id.text, why.text);
		break;
	default:
		break;
	}
	return process_reload(instance, intent, text, size_bytes, ret_output, err);
}
