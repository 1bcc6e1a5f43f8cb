/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies of what a service is (struct service_spec of sys/service.h), which a manager keeps.
 * Used by the service managers.
 */
#pragma once

#include "base/err.h"
#include "sys/service.h"

/* -EINVAL unless the name is what sys/service.h allows; it becomes part of paths. */
int service_name_check(const char *name, struct err *err);

/* ret_copy owns all that it points to; lists of NULL stay NULL. */
void service_spec_copy(const struct service_spec *spec, struct service_spec *ret_copy);
/* Of a copy; one that is all zero is fine. */
void service_spec_deinit(struct service_spec *copy);
