/* SPDX-License-Identifier: Apache-2.0 */
#include "api/agent.h"
#include "api/handlers.h"
#include "api/reply.h"

void server_certificate_put(const struct call *call, struct http_reply *ret_reply)
{
	const struct http_request *request = call->request;
	struct err err = ERR_NONE;
	int r = agent_replace_certificate(
		call->agent, request->body, request->body_size_bytes, &err);

	if (r < 0)
		reply_failure(ret_reply, r, "Invalid certificate", &err);
	else
		reply_ok(ret_reply, 202, NULL);
}

/* A text that does not parse is a 500 here, as controllers know it (amphora-api.md). */
void config_put(const struct call *call, struct http_reply *ret_reply)
{
	const struct http_request *request = call->request;
	struct err err = ERR_NONE;
	int r = agent_replace_config(call->agent, request->body, request->body_size_bytes, &err);

	if (r < 0)
		reply_error(
			ret_reply, 500, "Unable to update amphora-agent configuration.", err.text);
	else
		reply_ok(ret_reply, 202, NULL);
}
