/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a change took, as PUT model tells it (model.md, "applied"). Used by the agent.
 */
#pragma once

/* From nothing to most: of several parts the strongest counts. */
enum applied { APPLIED_NONE, APPLIED_STOP, APPLIED_RUNTIME, APPLIED_RELOAD, APPLIED_START };

/* "none" … */
const char *applied_text(enum applied applied);
