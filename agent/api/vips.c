/* SPDX-License-Identifier: Apache-2.0 */
#include "api/vips.h"

#include "api/agent.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "haproxy/vips.h"
#include "keepalived/vrrp.h"
#include "net/advertisement.h"

void vips_advertise(struct agent *agent, const struct address *addresses, size_t count)
{
	/* A pair may also come of a model, whatever the settings say. */
	if (agent_topology(agent) == TOPOLOGY_SINGLE && !vrrp_is_running(agent_keepalived(agent)))
		advertise_all(agent_net(agent), addresses, count);
}

void vips_advertise_load_balancer(struct agent *agent, const struct id *id)
{
	cleanup_free struct address *addresses = NULL;
	struct err err = ERR_NONE;
	size_t count;

	if (haproxy_vips_installed(agent_haproxy(agent), id, &addresses, &count, &err) < 0)
		log_warning("load balancer %s: advertising its VIPs: %s", id->text, err.text);
	else
		vips_advertise(agent, addresses, count);
}
