/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What TuneD, the daemon that tunes a machine by profiles, says of itself. An amphora's image may
 * have it, with a profile "amphora" that keeps everything but HAProxy on the first CPU. Used by the
 * agent.
 */
#pragma once

#include <stdbool.h>

enum { TUNED_PROFILES_MAX_BYTES = 1024 }; /* of which the reference reports no more */

struct tuned_profiles {
	char text[TUNED_PROFILES_MAX_BYTES + 1]; /* "amphora network-latency"; "": no TuneD */
};

/* Those that are active. */
void tuned_read_profiles(struct tuned_profiles *ret_profiles);
bool tuned_profiles_have(const struct tuned_profiles *profiles, const char *name);
