/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The crt-lists (render/crt_list.h) that a model's haproxy.cfg names, stored before HAProxy checks
 * it. Nobody reads them before that config is installed. Used by deploy/ only.
 */
#pragma once

#include <stddef.h>

#include "base/certificate_name.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "haproxy/instance.h"
#include "model/load_balancer.h"

/* Those that were not there before. */
struct certificate_lists {
	struct certificate_name *names;
	size_t count;
};

/* ret_lists is filled in, and to be freed, on failure too. */
int certificate_lists_store(struct haproxy_instance *instance,
	const struct load_balancer *load_balancer, struct certificate_lists *ret_lists,
	struct err *err);
/* Takes them away again: the config that names them was not installed. Failures are logged. */
void certificate_lists_remove(
	struct haproxy_instance *instance, const struct certificate_lists *lists);
void certificate_lists_deinit(struct certificate_lists *lists);
#define cleanup_certificate_lists CLEANUP(certificate_lists_deinit)
