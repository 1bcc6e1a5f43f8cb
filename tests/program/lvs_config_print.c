/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lvs/config.h on its own, for tests/interop/lvs_config_test.py: reads a keepalived.conf from its
 * standard input and prints what it says, as JSON.
 */
#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "lvs/config.h"

static json_t *endpoint_json(const struct lvs_endpoint *endpoint)
{
	char text[ADDRESS_TEXT_MAX];

	if (endpoint->address.family == 0)
		return json_null();
	address_format(&endpoint->address, text);
	return json_pack("[s, i]", text, (int)endpoint->port);
}

static json_t *config_json(const struct lvs_config *config)
{
	json_t *vips = json_array();
	json_t *members = json_array();

	for (size_t i = 0; i < config->virtual_server_count; i++)
		json_array_append_new(vips, endpoint_json(&config->virtual_servers[i]));
	for (size_t i = 0; i < config->member_count; i++) {
		const struct lvs_member *member = &config->members[i];

		json_array_append_new(members,
			json_pack("{s:s, s:o, s:b, s:b}", "id", member->id.text, "endpoint",
				endpoint_json(&member->endpoint), "is_disabled",
				member->is_disabled, "has_checker", member->has_checker));
	}
	return json_pack("{s:s?, s:b, s:s?, s:b, s:b, s:o, s:o}", "listener",
		config->has_listener ? config->listener.text : NULL, "is_disabled",
		config->is_disabled, "pool", config->has_pool ? config->pool.text : NULL,
		"is_pool_disabled", config->is_pool_disabled, "is_sctp", config->is_sctp,
		"virtual_servers", vips, "members", members);
}

int main(void)
{
	cleanup_buf struct buf text = BUF_INIT(MIB);
	cleanup_lvs_config struct lvs_config config = {0};
	json_t *json;
	ssize_t got;

	while ((got = read(STDIN_FILENO, buf_reserve(&text, 4096), 4096)) > 0)
		buf_commit(&text, (size_t)got);
	lvs_config_parse(buf_text(&text), text.size_bytes, &config);
	json = config_json(&config);
	json_dumpf(json, stdout, 0);
	json_decref(json);
	return 0;
}
