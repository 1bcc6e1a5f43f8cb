/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a service manager implements: the calls of sys/service.h, which tells what each is to do.
 * Names have been checked. Used by sys/service.c and the managers.
 */
#pragma once

#include "sys/service.h"

struct service_manager_calls {
	void (*free)(struct service_manager *manager);
	int (*start)(struct service_manager *manager, const struct service_spec *spec,
		bool *ret_started, struct err *err);
	int (*stop)(struct service_manager *manager, const char *name, struct err *err);
	int (*remove)(struct service_manager *manager, const char *name, struct err *err);
	int (*restart)(
		struct service_manager *manager, const struct service_spec *spec, struct err *err);
	pid_t (*pid)(struct service_manager *manager, const char *name);
	unsigned (*restart_count)(struct service_manager *manager, const char *name);
};

/* The first member of each manager's own struct. */
struct service_manager {
	const struct service_manager_calls *calls;
};
