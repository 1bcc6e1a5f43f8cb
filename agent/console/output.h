/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configurations that a load balancer leads to, printed or written as the command line asks.
 * Used by amphoractl.
 */
#pragma once

#include "base/err.h"
#include "console/arguments.h"
#include "model/load_balancer.h"

/* A load balancer with what its texts depend on beside it; all the caller's. */
struct output {
	const struct arguments *arguments;
	const struct load_balancer *load_balancer;
	const char *template_dir;
	const char *etag; /* of its model */
};

/*
 * Prints the one text that is asked for: -ENOENT when the load balancer has no such listener or
 * amphora. Errors of render/.
 */
int output_print(const struct output *output, struct err *err);
/*
 * Writes all its texts into a folder of its own under arguments->output, and prints their paths. A
 * haproxy.cfg is among them only when HAProxy has something to serve. Errors of render/ and
 * base/file.h.
 */
int output_write(const struct output *output, struct err *err);
