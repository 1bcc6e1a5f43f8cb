/* SPDX-License-Identifier: Apache-2.0 */
#include "traffic/traffic_json.h"

#include <errno.h>
#include <stdint.h>

static int number_parse(const json_t *json, const char *key, uint64_t *ret_number)
{
	const json_t *number = json_object_get(json, key);

	*ret_number = 0;
	if (!number)
		return 0;
	if (!json_is_integer(number) || json_integer_value(number) < 0)
		return -EINVAL;
	*ret_number = (uint64_t)json_integer_value(number);
	return 0;
}

int traffic_parse(const json_t *json, struct traffic *ret_traffic)
{
	struct traffic traffic;

	if (!json_is_object(json) || number_parse(json, "bin", &traffic.bytes_in) < 0 ||
		number_parse(json, "bout", &traffic.bytes_out) < 0 ||
		number_parse(json, "ereq", &traffic.errors_request) < 0 ||
		number_parse(json, "stot", &traffic.sessions_total) < 0)
		return -EINVAL;
	*ret_traffic = traffic;
	return 0;
}

json_t *traffic_json(const struct traffic *traffic)
{
	return json_pack("{s:I, s:I, s:I, s:I}", "bin", (json_int_t)traffic->bytes_in, "bout",
		(json_int_t)traffic->bytes_out, "ereq", (json_int_t)traffic->errors_request, "stot",
		(json_int_t)traffic->sessions_total);
}
