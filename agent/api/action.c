/* SPDX-License-Identifier: Apache-2.0 */
#include "api/action.h"

#include <errno.h>

#include "api/reply.h"
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/text.h"

static const char *const names[] = {
	[ACTION_START] = "start",
	[ACTION_STOP] = "stop",
	[ACTION_RELOAD] = "reload",
};

int call_action(const struct call *call, size_t parameter, enum action *ret_action,
	struct http_reply *ret_reply)
{
	const struct route_segment *segment = &call->parameters[parameter];
	cleanup_free char *name = xmemdup_text(segment->text, segment->size_bytes);
	cleanup_free char *details = NULL;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (text_equal_nocase(names[i], name)) {
			*ret_action = (enum action)i;
			return 0;
		}
	}
	details = xformat("Unknown action: %s", name);
	reply_error(ret_reply, 400, "Invalid Request", details);
	return -EINVAL;
}

const char *action_name(enum action action)
{
	return names[action];
}
