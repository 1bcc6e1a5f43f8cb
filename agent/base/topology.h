/* SPDX-License-Identifier: Apache-2.0 */
/* How many amphorae a load balancer has. Used by the agent and amphoractl. */
#pragma once

enum topology { TOPOLOGY_SINGLE, TOPOLOGY_ACTIVE_STANDBY };
