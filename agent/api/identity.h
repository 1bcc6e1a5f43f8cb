/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent's TLS identity, read from where the settings say (amphora-api.md, "Transport"). Used by
 * api/agent.c.
 */
#pragma once

#include "base/cleanup.h"
#include "base/err.h"
#include "conf/settings.h"
#include "sys/tls_credentials.h"

DEFINE_CLEANUP(struct tls_credentials *, tls_credentials_unref);
#define cleanup_credentials CLEANUP(cleanup_tls_credentials_unref)

/*
 * Certificate, key and the clients' CA; pem stands in place of the certificate's file unless NULL.
 * The caller owns a reference. Errors of tls_credentials_new() and file_read().
 */
int identity_load(const struct settings *settings, const char *pem, size_t pem_size_bytes,
	struct tls_credentials **ret_credentials, struct err *err);
/* Says who we are from now on, and for how long; warns when that has not begun yet. */
void identity_log(const struct tls_credentials *credentials);
