/* SPDX-License-Identifier: Apache-2.0 */
#include "api/lvs_listeners.h"

#include <stdbool.h>

#include "api/agent.h"
#include "base/cleanup.h"
#include "haproxy/site.h"
#include "haproxy/stored_model.h"
#include "lvs/instance.h"
#include "lvs/site.h"

static bool model_names(const struct load_balancer *model, const struct id *listener)
{
	for (size_t i = 0; i < model->listener_count; i++)
		if (id_equal(&model->listeners[i].id, listener))
			return true;
	return false;
}

/* Leaves those that the model names, or those that it does not. */
static void listeners_filter(
	struct id *listeners, size_t *count, const struct load_balancer *model, bool is_named)
{
	size_t kept = 0;

	for (size_t i = 0; i < *count; i++)
		if (model_names(model, &listeners[i]) == is_named)
			listeners[kept++] = listeners[i];
	*count = kept;
}

/* Leaves what no other load balancer has, or may have. */
static int others_leave(struct haproxy_site *site, const struct id *load_balancer,
	struct id *listeners, size_t *count, struct err *err)
{
	cleanup_free struct id *others = NULL;
	size_t other_count = 0;
	int r = haproxy_site_load_balancers(site, &others, &other_count, err);

	for (size_t i = 0; i < other_count; i++) {
		cleanup_load_balancer struct load_balancer *model = NULL;

		if (id_equal(&others[i], load_balancer))
			continue;
		model = haproxy_stored_model_parse(site, &others[i]);
		if (model)
			listeners_filter(listeners, count, model, false);
		else
			*count = 0;
	}
	return r;
}

int lvs_listeners_of(struct agent *agent, const struct id *load_balancer, struct id **ret_listeners,
	size_t *ret_count, struct err *err)
{
	struct haproxy_site *site = agent_haproxy(agent);
	cleanup_load_balancer struct load_balancer *model = NULL;
	cleanup_free struct id *listeners = NULL;
	size_t count = 0;
	int r = lvs_listeners(lvs_site_base_path(agent_lvs(agent)), &listeners, &count, err);

	if (r < 0)
		return r;
	if (count > 0)
		model = haproxy_stored_model_parse(site, load_balancer);
	if (model)
		listeners_filter(listeners, &count, model, true);
	else if (count > 0)
		r = others_leave(site, load_balancer, listeners, &count, err);
	if (r < 0)
		return r;
	*ret_listeners = take_ptr(listeners);
	*ret_count = count;
	return 0;
}
