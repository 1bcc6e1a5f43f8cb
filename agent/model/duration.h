/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Durations as Go writes them, and with it the cloud-controller-manager's configuration: "1m30s",
 * "500ms". Used by model/ only.
 */
#pragma once

#include <stdint.h>

/* Whole numbers with the units h, m, s and ms, one behind the other. 0 or -EINVAL. */
int duration_parse(const char *text, int64_t *ret_ms);
