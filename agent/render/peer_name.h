/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The name of an amphora in a `peers` section, a controller's or ours, and for its own HAProxy
 * (-L). Used by the agent and amphoractl.
 */
#pragma once

#include "base/id.h"

/*
 * Base64 of the SHA-1 of the amphora's id, with '_' for '+' and '-' for '/', without '=', and 'x'
 * for a leading '-' (amphora-api.md, "Endpoints"). The caller frees it.
 */
char *peer_name_of(const struct id *amphora_id);
