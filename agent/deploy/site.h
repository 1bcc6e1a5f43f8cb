/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a deployment works on: the daemons of this amphora. A plain value; what it points at is the
 * agent's and outlives it. Used by the agent.
 */
#pragma once

#include "deploy/machine.h"

struct haproxy_site;
struct keepalived_site;
struct lvs_site;
struct net_site;

struct deploy_site {
	struct haproxy_site *haproxy;
	struct lvs_site *lvs;
	const struct keepalived_site *keepalived;
	const struct net_site *net;
	struct machine machine;
};
