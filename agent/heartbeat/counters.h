/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last absolute counters of each listener, from which a message's differences are made. They
 * are kept in BASE_PATH/heartbeat/stats_counters.json, as {listener: {bin, bout, ereq, stot}}, so
 * that neither a restart of the sender nor a failed sending loses or doubles traffic: differences
 * are pending until counters_commit() says that their message has left. Owned by the sender.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "heartbeat/observation.h"

enum { COUNTERS_MAX_BYTES = 16 * MIB };

struct counters;

struct counters *counters_new(void);
void counters_free(struct counters *counters);

/*
 * Takes up a counters file's text, ours or the reference agent's (the form is the same). What is
 * there already goes. -EINVAL with the reason when it is no such text; then nothing is changed.
 */
int counters_parse(
	struct counters *counters, const char *text, size_t text_size_bytes, struct err *err);
/* -ENOENT when there is no file; else as counters_parse(). */
int counters_load(struct counters *counters, const char *path, struct err *err);
/*
 * Replaces the file, without waiting for the disk: after a power cut all start at 0. It holds what
 * the listeners' sources themselves had counted, since the next run will see no more than that.
 */
int counters_store(const struct counters *counters, const char *path, struct err *err);

/*
 * What each listener of the observation transferred since the last commit, in its order; the caller
 * frees it. A counter that went down means that HAProxy was started anew, or that the kernel's
 * service was made anew: then the listener's counters themselves are the difference. Of a listener
 * whose counters could not be read the difference is 0. Changes nothing.
 */
struct traffic *counters_differences(
	const struct counters *counters, const struct observation *observation);
/*
 * The differences of this observation have been reported: its counters become the last ones, where
 * they could be read. A listener that is not in it is forgotten, unless the observation is partial.
 */
void counters_commit(struct counters *counters, const struct observation *observation);
