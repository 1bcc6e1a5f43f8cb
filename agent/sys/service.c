/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/service.h"

#include "sys/service_manager.h"
#include "sys/service_spec.h"

void service_manager_free(struct service_manager *manager)
{
	if (manager)
		manager->calls->free(manager);
}

int service_start(struct service_manager *manager, const struct service_spec *spec,
	bool *ret_started, struct err *err)
{
	bool started = false;
	int r = service_name_check(spec->name, err);

	if (r == 0)
		r = manager->calls->start(manager, spec, &started, err);
	if (r == 0 && ret_started)
		*ret_started = started;
	return r;
}

int service_stop(struct service_manager *manager, const char *name, struct err *err)
{
	int r = service_name_check(name, err);

	return r < 0 ? r : manager->calls->stop(manager, name, err);
}

int service_remove(struct service_manager *manager, const char *name, struct err *err)
{
	int r = service_name_check(name, err);

	return r < 0 ? r : manager->calls->remove(manager, name, err);
}

int service_restart(
	struct service_manager *manager, const struct service_spec *spec, struct err *err)
{
	int r = service_name_check(spec->name, err);

	return r < 0 ? r : manager->calls->restart(manager, spec, err);
}

pid_t service_pid(struct service_manager *manager, const char *name)
{
	return service_name_check(name, NULL) < 0 ? 0 : manager->calls->pid(manager, name);
}

unsigned service_restart_count(struct service_manager *manager, const char *name)
{
	return service_name_check(name, NULL) < 0 ? 0
						  : manager->calls->restart_count(manager, name);
}
