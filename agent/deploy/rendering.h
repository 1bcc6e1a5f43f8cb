/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All configs that a model leads to on one amphora, as they will be installed. A plain value of
 * whoever asks for it. Used by the agent.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "deploy/site.h"
#include "model/load_balancer.h"

struct listener_rendering {
	struct id id;
	struct buf text;
};

struct rendering {
	struct buf haproxy;                   /* also when there is nothing for HAProxy to serve */
	struct listener_rendering *listeners; /* of LVS, sorted by id */
	size_t listener_count;
	bool has_vrrp;
	struct buf vrrp;
};

/*
 * amphora: which of the model's we are; NULL when it has none. etag: of the model. -EMSGSIZE: there
 * is more than may be installed; other errors of render/. ret_rendering is to be freed on failure
 * too.
 */
int rendering_make(const struct deploy_site *site, const struct load_balancer *load_balancer,
	const struct amphora *amphora, const char *etag, struct rendering *ret_rendering,
	struct err *err);
void rendering_deinit(struct rendering *rendering);
#define cleanup_rendering CLEANUP(rendering_deinit)

/* NULL: the listener is none of LVS's in this model. */
const struct buf *rendering_find(const struct rendering *rendering, const struct id *listener);
