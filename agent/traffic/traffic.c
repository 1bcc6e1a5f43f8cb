/* SPDX-License-Identifier: Apache-2.0 */
#include "traffic/traffic.h"

void traffic_add(struct traffic *sum, const struct traffic *more)
{
	sum->bytes_in += more->bytes_in;
	sum->bytes_out += more->bytes_out;
	sum->errors_request += more->errors_request;
	sum->sessions_total += more->sessions_total;
}

bool traffic_has_gone_down(const struct traffic *now, const struct traffic *before)
{
	return now->bytes_in < before->bytes_in || now->bytes_out < before->bytes_out ||
	       now->errors_request < before->errors_request ||
	       now->sessions_total < before->sessions_total;
}
