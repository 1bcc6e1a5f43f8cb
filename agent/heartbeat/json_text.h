/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON strings written straight into a buffer: a beat may hold thousands. Used by the sender.
 */
#pragma once

#include "base/buf.h"

/*
 * Appends text as a quoted JSON string (RFC 8259). Bytes that are no UTF-8 become '?': one of them
 * would make the health manager drop the whole message.
 */
void json_text_append(struct buf *buf, const char *text);
