/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/belongings.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "deploy/origin.h"
#include "keepalived/vrrp.h"
#include "lvs/config.h"
#include "lvs/instance.h"
#include "lvs/site.h"

bool belongings_names(const char *text, size_t size_bytes, const struct id *load_balancer)
{
	cleanup_lvs_config struct lvs_config config = {0};

	if (origin_is(text, load_balancer))
		return true;
	lvs_config_parse(text, size_bytes, &config);
	return config.has_load_balancer && id_equal(&config.load_balancer, load_balancer);
}

bool belongings_owner(const char *text, size_t size_bytes, struct id *ret_load_balancer)
{
	cleanup_lvs_config struct lvs_config config = {0};

	if (origin_parse(text, ret_load_balancer))
		return true;
	lvs_config_parse(text, size_bytes, &config);
	if (config.has_load_balancer)
		*ret_load_balancer = config.load_balancer;
	return config.has_load_balancer;
}

int belongings_listeners(const struct deploy_site *site, const struct id *load_balancer,
	struct id **ret_ids, size_t *ret_count, struct err *err)
{
	cleanup_free struct id *ids = NULL;
	size_t count = 0;
	size_t kept = 0;
	int r = lvs_listeners(lvs_site_base_path(site->lvs), &ids, &count, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		cleanup_buf struct buf text = BUF_INIT(LVS_CONFIG_MAX_BYTES);

		/* One that is deleted meanwhile is none. */
		if (lvs_instance_read(site->lvs, &ids[i], &text, NULL) == 0 &&
			belongings_names(buf_text(&text), text.size_bytes, load_balancer))
			ids[kept++] = ids[i];
	}
	*ret_ids = take_ptr(ids);
	*ret_count = kept;
	return 0;
}

bool belongings_has_vrrp(const struct deploy_site *site, const struct id *load_balancer)
{
	cleanup_buf struct buf text = BUF_INIT(VRRP_CONFIG_MAX_BYTES);

	return vrrp_read(site->keepalived, &text, NULL) == 0 &&
	       origin_is(buf_text(&text), load_balancer);
}

static bool is_rendered(
	const struct deploy_site *site, const struct id *listener, const struct id *load_balancer)
{
	cleanup_buf struct buf text = BUF_INIT(LVS_CONFIG_MAX_BYTES);

	return lvs_instance_read(site->lvs, listener, &text, NULL) == 0 &&
	       origin_is(buf_text(&text), load_balancer);
}

bool belongings_are_rendered(
	const struct deploy_site *site, const struct load_balancer *load_balancer)
{
	for (size_t i = 0; i < load_balancer->listener_count; i++) {
		const struct listener *listener = &load_balancer->listeners[i];

		if (listener_is_lvs(listener) &&
			!is_rendered(site, &listener->id, &load_balancer->id))
			return false;
	}
	return load_balancer->topology != TOPOLOGY_ACTIVE_STANDBY ||
	       belongings_has_vrrp(site, &load_balancer->id);
}
