/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether this amphora may say that it lives: one that is part of a pair, and whose keepalived is
 * dead, must be failed over (heartbeat.md, "When none is sent"). Used by the sender.
 */
#pragma once

#include "base/err.h"

/*
 * 0 when BASE_PATH/vrrp/octavia-keepalived.conf does not exist, or the keepalived of
 * octavia-keepalived.pid beside it runs; -ESRCH with the reason when it does not. Another error
 * (-EACCES …): there is no telling, which is no reason to be failed over.
 */
int vrrp_check(const char *base_path, struct err *err);
