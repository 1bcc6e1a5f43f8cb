/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The description of a load balancer in a file, and what is wrong with it. Used by amphoractl.
 */
#pragma once

#include "base/err.h"
#include "model/load_balancer.h"
#include "sys/digest.h"

/*
 * Reads the model in file, a path or "-" for the standard input, and prints its faults and warnings
 * to the standard error (model/fault_lines.h). id is the load balancer's; NULL: the model's own.
 * -EINVAL without an error text: the model is at fault, which is all said. ret_etag is its ETag.
 */
int model_file_load(const char *file, const struct id *id, struct load_balancer **ret_load_balancer,
	char ret_etag[static MD5_HEX_SIZE + 1], struct err *err);
