/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The running agent: what its handlers share, and how its settings and its TLS identity are
 * exchanged while it runs (amphora-api.md, PUT /1.0/config and /1.0/certificate). Made and ended by
 * bin/amphora-agent.c.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "conf/settings.h"

struct deploy_site;
struct haproxy_site;
struct keepalived_site;
struct lvs_site;
struct net_site;
struct agent;

/*
 * Starts the agent: takes over what an earlier one left running, serves the API, starts the
 * load balancers that ought to run and its companions (api/companion.h). sources and settings
 * become the agent's on success.
 */
int agent_new(struct settings_sources *sources, struct settings *settings, struct agent **ret_agent,
	struct err *err);
/*
 * Ends the API and the companions; HAProxy goes on: the data plane outlives us. Accepts NULL.
 */
void agent_free(struct agent *agent);

/*
 * What the agent would refuse of these settings if it started now: service manager, certificates,
 * templates.
 */
int agent_check(const struct settings *settings, struct err *err);

/*
 * Replaces the last --config-file by text, if it parses, and applies what can change at run time;
 * the log says what waits for a restart. -EINVAL leaves everything as it was.
 */
int agent_replace_config(struct agent *agent, const char *text, size_t size_bytes, struct err *err);
/* Reads the files anew (SIGHUP) and applies them likewise. */
int agent_reload_config(struct agent *agent, struct err *err);
/* Replaces the server certificate, for the connections from now on. -EINVAL: nothing changed. */
int agent_replace_certificate(
	struct agent *agent, const char *pem, size_t size_bytes, struct err *err);

/* What grows while the agent runs is cut; to be called every now and then. */
void agent_tidy(struct agent *agent);

/* The port that the API listens on. */
uint16_t agent_port(const struct agent *agent);
/* What the handlers of load balancers work on. */
struct haproxy_site *agent_haproxy(struct agent *agent);
/* What the handlers of the network, and those of VRRP, work on. */
const struct net_site *agent_net(struct agent *agent);
const struct keepalived_site *agent_keepalived(struct agent *agent);
/* What the handlers of UDP and SCTP listeners work on. */
struct lvs_site *agent_lvs(struct agent *agent);
/* What the handlers of models, and of all that is a load balancer's, work on. */
const struct deploy_site *agent_deploy(struct agent *agent);
/* The topology by the present settings. */
enum topology agent_topology(struct agent *agent);
