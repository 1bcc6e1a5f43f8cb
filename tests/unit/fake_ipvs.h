/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A kernel's IPVS that a test writes down: stands in for sys/ipvs.c, which is not linked then. Once
 * a program.
 */
#pragma once

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "sys/ipvs.h"

struct ipvs {
	int result; /* of ipvs_query(); 0 or a negative errno */
	struct ipvs_service service;
	struct ipvs_destination destination; /* the service's only one */
	unsigned asked;
};

/* UDP 10.0.0.10:53 with 10.0.1.1:53, weight 1. */
static inline void fake_ipvs_init(struct ipvs *ipvs, unsigned bytes_in)
{
	*ipvs = (struct ipvs){
		.service = {.port = 53,
			.protocol = IPPROTO_UDP,
			.counters = {bytes_in / 10, bytes_in, 2 * bytes_in},
			.destination_count = 1},
		.destination = {.port = 53, .weight = 1, .active_connections = 4},
	};
	if (address_parse("10.0.0.10", &ipvs->service.address) < 0 ||
		address_parse("10.0.1.1", &ipvs->destination.address) < 0)
		abort();
}

/* What ipvs_open() finds; NULL: it fails. */
static struct ipvs *fake_ipvs_kernel;

int ipvs_open(struct ipvs **ret_ipvs, struct err *err)
{
	if (!fake_ipvs_kernel)
		return err_set_errno(err, -EMFILE, "opening the fake IPVS");
	*ret_ipvs = fake_ipvs_kernel;
	return 0;
}

void ipvs_close(struct ipvs *ipvs)
{
	(void)ipvs;
}

int ipvs_query(struct ipvs *ipvs, int timeout_ms, struct ipvs_table *ret_table, struct err *err)
{
	(void)timeout_ms;
	ipvs->asked++;
	if (ipvs->result < 0)
		return err_set_errno(err, ipvs->result, "asking the fake IPVS");
	*ret_table = (struct ipvs_table){
		.services = xcalloc(1, sizeof(ipvs->service)),
		.service_count = 1,
		.destinations = xcalloc(1, sizeof(ipvs->destination)),
		.destination_count = 1,
	};
	ret_table->services[0] = ipvs->service;
	ret_table->destinations[0] = ipvs->destination;
	return 0;
}

void ipvs_table_deinit(struct ipvs_table *table)
{
	free(table->services);
	free(table->destinations);
	*table = IPVS_TABLE_INIT;
}
