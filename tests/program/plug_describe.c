/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a plug request leads to, without plugging anything:
 *
 *	plug_describe TOPOLOGY vip NAME VIP             the body of POST plug/vip/VIP on stdin
 *	plug_describe TOPOLOGY network NAME [STORED]    that of POST plug/network; what is stored so
 *far plug_describe read NAME                         a description on stdin, written as we write it
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"
#include "net/plug_request.h"

DEFINE_CLEANUP(json_t *, json_decref);

static int fail(const struct err *err)
{
	fprintf(stderr, "%s\n", err->text);
	return 1;
}

static int describe_vip(enum topology topology, const char *name, const char *vip,
	const json_t *body, struct interface_description *ret_description, struct err *err)
{
	CLEANUP(plug_vip_request_deinit) struct plug_vip_request request = {0};
	int r = plug_vip_request_parse(vip, body, &request, err);

	if (r == 0)
		plug_vip_describe(&request, topology, name, ret_description);
	return r;
}

static int describe_network(enum topology topology, const char *name, const char *stored_json,
	const json_t *body, struct interface_description *ret_description, struct err *err)
{
	CLEANUP(plug_network_request_deinit) struct plug_network_request request = {0};
	CLEANUP(description_deinit) struct interface_description stored = {0};
	int r = plug_network_request_parse(body, &request, err);

	if (r == 0 && stored_json)
		r = description_parse(stored_json, strlen(stored_json), name, &stored, err);
	if (r == 0)
		plug_network_describe(
			&request, topology, name, stored_json ? &stored : NULL, ret_description);
	return r;
}

static int describe(int argc, char **argv, const char *input,
	struct interface_description *ret_description, struct err *err)
{
	CLEANUP(cleanup_json_decref) json_t *body = NULL;
	enum topology topology;

	if (argc == 3 && text_equal(argv[1], "read"))
		return description_parse(input, strlen(input), argv[2], ret_description, err);
	if (argc < 4)
		return err_set(err, -1, "wrong use");
	topology = text_equal(argv[1], "SINGLE") ? TOPOLOGY_SINGLE : TOPOLOGY_ACTIVE_STANDBY;
	body = json_loads(input, 0, NULL);
	if (text_equal(argv[2], "vip") && argc == 5)
		return describe_vip(topology, argv[3], argv[4], body, ret_description, err);
	return describe_network(
		topology, argv[3], argc == 5 ? argv[4] : NULL, body, ret_description, err);
}

int main(int argc, char **argv)
{
	CLEANUP(description_deinit) struct interface_description description = {0};
	cleanup_free char *text = NULL;
	struct err err = ERR_NONE;
	static char input[MIB];

	if (fread(input, 1, sizeof(input) - 1, stdin) == 0)
		return fail(&(const struct err){.text = "nothing on stdin"});
	if (describe(argc, argv, input, &description, &err) < 0)
		return fail(&err);
	text = description_format(&description);
	puts(text);
	return 0;
}
