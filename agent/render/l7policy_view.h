/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A listener's L7 policies as their frontend has them. Used by render/ only.
 *
 *	"rejects": [{"rules", "conditions"}],
 *	"redirects": [{"rules", "conditions", "code", "location" or "prefix"}],
 *	"uses": [{"rules", "conditions", "backend"}]
 *
 * in the order in which HAProxy takes them, whatever their order in the file: first what denies,
 * then what redirects, then what chooses a backend; among these by position. "conditions" are the
 * names of ACLs ("RULE", "!RULE"), all of which must hold. A rule is
 *
 *	{"id", "method", "pattern",
 *	 "host": true or "path": true or "header": … or "cookie": … or "dn_field": …},
 *	{"id", "has_certificate": true} or {"id", "verify_result": "0"}
 *
 * with names as arguments of a sample fetch (render/escape.h).
 */
#pragma once

#include <jansson.h>

#include "model/listener.h"

/* Those that are in force. */
void l7policy_view_set(json_t *frontend, const struct listener *listener);
