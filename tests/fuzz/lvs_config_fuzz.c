/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: an LVS listener's keepalived.conf (lvs/config.h). */
#include "lvs/config.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

static void check(bool is_true)
{
	if (!is_true)
		abort();
}

/* What the header promises, whatever the bytes were. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	cleanup_lvs_config struct lvs_config config;

	lvs_config_parse((const char *)data, size_bytes, &config);
	check(config.virtual_server_count <= LVS_VIRTUAL_SERVERS_MAX);
	check(config.member_count <= LVS_MEMBERS_MAX);
	check(!config.has_listener || id_is_valid(config.listener.text));
	check(!config.has_pool || id_is_valid(config.pool.text));
	check(!config.is_disabled || config.has_listener);
	check(!config.is_pool_disabled || config.has_pool);
	for (size_t i = 0; i < config.virtual_server_count; i++)
		check(config.virtual_servers[i].port > 0 &&
			config.virtual_servers[i].address.family != 0);
	for (size_t i = 0; i < config.member_count; i++) {
		const struct lvs_member *member = &config.members[i];

		check(id_is_valid(member->id.text));
		check((member->endpoint.address.family != 0) == (member->endpoint.port != 0));
		for (size_t k = 0; k < i && i < 100; k++)
			check(!id_equal(&member->id, &config.members[k].id));
	}
	return 0;
}
