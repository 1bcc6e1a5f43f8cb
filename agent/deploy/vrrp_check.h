/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps BASE/vrrp/check_script.sh true (amphora-api.md, "VRRP check"): the amphora should hold the
 * VIP while every load balancer's HAProxy answers and serves all its listeners (haproxy/partial.h:
 * the other amphora may have the certificates that a reboot has cost this one), and every LVS
 * listener's keepalived runs. Left out are those that were stopped by request, and listeners whose
 * config was not taken up yet: both amphorae of a pair get the same one, and when no keepalived
 * starts with it the VIP of all that is served must stay. Used by whatever changes that: start,
 * stop, reload and delete of load balancers and LVS listeners, deployments, VRRP's upload; and at
 * the agent's start, before keepalived. Not by an upload of a listener: what runs goes on.
 */
#pragma once

#include "deploy/site.h"

/*
 * Makes the script say what is the case now. A failure is logged: the request that led here did
 * what it was asked for, and the next one tries again.
 */
void vrrp_check_refresh(const struct deploy_site *site);
