/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service manager "systemd": a service is a unit file, wanted by the boot while it is wanted by
 * us, and every question is systemd's to answer. Nothing is kept in memory: whoever runs next
 * finds what the one before has left. Jobs of one unit follow each other in systemd's queue.
 */
#include "sys/service.h"

#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "sys/service_manager.h"
#include "sys/service_unit.h"
#include "sys/systemd.h"

enum {
	START_TIMEOUT_MS = 15 * 1000,
	/* A unit has its time to end twice, before and after SIGKILL: keepalived 10 s each. */
	STOP_TIMEOUT_MS = 25 * 1000,
};

struct units {
	struct service_manager manager;
	char *folder;
};

static const char *folder_of(const struct service_manager *manager)
{
	return ((const struct units *)manager)->folder;
}

static int systemd_stop(struct service_manager *manager, const char *name, struct err *err)
{
	cleanup_free char *unit = service_unit_name(name);
	int r = systemd_job_run(SYSTEMD_JOB_STOP, unit, STOP_TIMEOUT_MS, err);

	if (r == 0 || r == -ENOENT)
		r = service_unit_disable(folder_of(manager), unit, err);
	return r < 0 ? err_wrap(err, r, "stopping service %s", name) : 0;
}

static int systemd_remove(struct service_manager *manager, const char *name, struct err *err)
{
	cleanup_free char *unit = service_unit_name(name);
	int r = systemd_stop(manager, name, err);

	if (r == 0)
		r = service_unit_remove(folder_of(manager), unit, err);
	return r < 0 ? r : systemd_reload(err);
}

/* systemd knows what spec says. What runs goes on as it is. */
static int unit_install(
	struct service_manager *manager, const struct service_spec *spec, struct err *err)
{
	cleanup_free char *unit = service_unit_name(spec->name);
	bool needs_reload;
	int r = service_unit_store(folder_of(manager), spec, err);

	if (r == 0)
		r = systemd_needs_reload(unit, &needs_reload, err);
	if (r == 0 && needs_reload)
		r = systemd_reload(err);
	if (r == 0 && spec->starts_at_boot)
		r = service_unit_enable(folder_of(manager), unit, err);
	return r;
}

static int systemd_start(struct service_manager *manager, const struct service_spec *spec,
	bool *ret_started, struct err *err)
{
	cleanup_free char *unit = service_unit_name(spec->name);
	uint32_t pid_before = 0;
	int r = unit_install(manager, spec, err);

	if (r == 0)
		r = systemd_service_number(unit, SYSTEMD_MAIN_PID, &pid_before, err);
	if (r < 0)
		return err_wrap(err, r, "starting service %s", spec->name);
	r = systemd_job_run(SYSTEMD_JOB_START, unit, START_TIMEOUT_MS, err);
	if (r < 0) {
		if (pid_before == 0)
			systemd_stop(manager, spec->name, NULL);
		return err_wrap(err, r, "starting service %s", spec->name);
	}
	*ret_started = pid_before == 0;
	if (*ret_started)
		log_info("service %s started", spec->name);
	return 0;
}

static int systemd_restart(
	struct service_manager *manager, const struct service_spec *spec, struct err *err)
{
	cleanup_free char *unit = service_unit_name(spec->name);
	int r = unit_install(manager, spec, err);

	if (r == 0)
		r = systemd_job_run(
			SYSTEMD_JOB_RESTART, unit, STOP_TIMEOUT_MS + START_TIMEOUT_MS, err);
	return r < 0 ? err_wrap(err, r, "starting service %s anew", spec->name) : 0;
}

static uint32_t number_of(const char *name, enum systemd_number number)
{
	cleanup_free char *unit = service_unit_name(name);
	struct err err = ERR_NONE;
	uint32_t value = 0;

	if (systemd_service_number(unit, number, &value, &err) < 0)
		log_error("service %s is taken for one that does not run: %s", name, err.text);
	return value;
}

static pid_t systemd_pid(struct service_manager *manager, const char *name)
{
	(void)manager;
	return (pid_t)number_of(name, SYSTEMD_MAIN_PID);
}

static unsigned systemd_restart_count(struct service_manager *manager, const char *name)
{
	(void)manager;
	return number_of(name, SYSTEMD_RESTART_COUNT);
}

static void systemd_free(struct service_manager *manager)
{
	struct units *units = (struct units *)manager;

	free(units->folder);
	free(units);
}

static const struct service_manager_calls systemd_calls = {
	.free = systemd_free,
	.start = systemd_start,
	.stop = systemd_stop,
	.remove = systemd_remove,
	.restart = systemd_restart,
	.pid = systemd_pid,
	.restart_count = systemd_restart_count,
};

struct service_manager *service_manager_new_systemd(const char *unit_dir)
{
	struct units *units = xcalloc(1, sizeof(*units));

	units->manager.calls = &systemd_calls;
	units->folder = xstrdup(unit_dir);
	return &units->manager;
}
