/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Public keys that may log in by SSH (sshd(8), "AUTHORIZED_KEYS FILE FORMAT"). Used by
 * amphora-config-drive.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

enum { SSH_KEY_SIZE_MAX = 16 * KIB };

/*
 * A key as nova gives it, with or without a newline behind it: type, base64, comment, on one line;
 * no options before the type, which could name a command. -EINVAL.
 */
int ssh_key_check(const char *text, struct err *err);

/* Appends the key as a line of an authorized_keys file, unless that has it. */
void ssh_key_authorize(const char *key, struct buf *authorized_keys);
