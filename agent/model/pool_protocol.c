/* SPDX-License-Identifier: Apache-2.0 */
#include "model/pool_protocol.h"

#include "model/reader.h"

static const char key[] = "protocol";

static const struct choice protocols[] = {
	{"HTTP", POOL_HTTP},
	{"TCP", POOL_TCP},
	{"HTTPS", POOL_HTTPS},
	{"PROXY", POOL_PROXY},
	{"PROXYV2", POOL_PROXYV2},
	{"UDP", POOL_UDP},
	{"SCTP", POOL_SCTP},
	{NULL, 0},
};

enum pool_protocol pool_protocol_parse(struct reader *reader)
{
	if (!reader_has(reader, key))
		reader_fault(reader, key, "is required");
	return (enum pool_protocol)reader_choice(reader, key, protocols, POOL_PROTOCOL_UNKNOWN);
}

const char *pool_protocol_name(enum pool_protocol protocol)
{
	return choice_name(protocols, (int)protocol);
}

bool pool_protocol_is_lvs(enum pool_protocol protocol)
{
	return protocol == POOL_UDP || protocol == POOL_SCTP;
}
