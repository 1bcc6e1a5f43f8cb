/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Being asked to end (SIGTERM, SIGINT), for programs of one thread that wait with poll(). Used by
 * the sender and the Prometheus proxy.
 */
#pragma once

#include "base/err.h"

/*
 * A descriptor that becomes readable when somebody asks, and from now on the only way to hear of
 * it. To be called by main, before anything waits.
 */
int stop_signal_open(struct err *err);
