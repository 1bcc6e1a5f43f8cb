/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: the bodies of POST plug/vip and plug/network (net/plug_request.h), and the
 * descriptions that they lead to. The VIP, which is in the path, is the body's key "vip" here.
 * Whatever the bytes, they are refused with a reason, or lead to a description that is the same
 * when it was written and read, and when the request comes again.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "net/plug_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

static void check_description(const struct interface_description *description)
{
	CLEANUP(description_deinit) struct interface_description again = {0};
	cleanup_free char *text = description_format(description);

	if (description_parse(text, strlen(text), description->name, &again, NULL) < 0 ||
		!description_equal(description, &again))
		abort();
}

static void check_failure(int r, const struct err *err)
{
	if ((r != -EINVAL && r != -EBADMSG && r != -EADDRNOTAVAIL) || err->text[0] == '\0')
		abort();
}

static void plug_vip(const json_t *body, enum topology topology)
{
	CLEANUP(plug_vip_request_deinit) struct plug_vip_request request = {0};
	CLEANUP(description_deinit) struct interface_description description = {0};
	const char *vip = json_string_value(json_object_get(body, "vip"));
	struct err err = ERR_NONE;
	int r = plug_vip_request_parse(vip ? vip : "198.51.100.10", body, &request, &err);

	if (r < 0) {
		check_failure(r, &err);
		return;
	}
	plug_vip_describe(&request, topology, "eth1", &description);
	check_description(&description);
}

static void plug_network(const json_t *body, enum topology topology)
{
	CLEANUP(plug_network_request_deinit) struct plug_network_request request = {0};
	CLEANUP(description_deinit) struct interface_description first = {0};
	CLEANUP(description_deinit) struct interface_description again = {0};
	struct err err = ERR_NONE;
	int r = plug_network_request_parse(body, &request, &err);

	if (r < 0) {
		check_failure(r, &err);
		return;
	}
	plug_network_describe(&request, topology, "eth2", NULL, &first);
	check_description(&first);
	plug_network_describe(&request, topology, "eth2", &first, &again);
	if (!description_equal(&first, &again))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	json_t *body = json_loadb((const char *)data, size_bytes, JSON_DECODE_ANY, NULL);

	if (!body)
		return 0;
	for (enum topology topology = TOPOLOGY_SINGLE; topology <= TOPOLOGY_ACTIVE_STANDBY;
		topology++) {
		plug_vip(body, topology);
		plug_network(body, topology);
	}
	json_decref(body);
	return 0;
}
