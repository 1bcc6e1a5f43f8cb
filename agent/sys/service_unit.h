/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The unit file of a service: what it says (systemd.service(5)), and where it lies. It holds what
 * differs from service to service; what is the same for all HAProxys, or all keepalived, is in the
 * drop-ins that the package brings (systemd/haproxy-.service.d …). Used by sys/service_systemd.c.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "sys/service.h"

/* "NAME.service"; the caller's to free. */
char *service_unit_name(const char *service);

/*
 * Appends the text. -EINVAL: a path that a unit cannot name, for it holds control characters or a
 * backslash.
 */
int service_unit_render(const struct service_spec *spec, struct buf *ret_text, struct err *err);

/* The file is there, and on disk, in folder. */
int service_unit_store(const char *folder, const struct service_spec *spec, struct err *err);
int service_unit_remove(const char *folder, const char *unit, struct err *err);

/* Whether a boot starts it: the link that "systemctl enable" makes. Durable like the file. */
int service_unit_enable(const char *folder, const char *unit, struct err *err);
int service_unit_disable(const char *folder, const char *unit, struct err *err);
