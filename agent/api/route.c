/* SPDX-License-Identifier: Apache-2.0 */
#include "api/route.h"

#include <errno.h>
#include <string.h>

#include "api/handlers.h"
#include "api/reply.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

enum { SEGMENTS_MAX = 8, LOGGED_PATH_MAX = 200, LOGGED_BODY_MAX = 1000 };

struct route {
	const char *method;
	const char *path; /* ':' stands for any one segment */
	api_handler *handler;
};

/* The first match counts: literals stand before the ':' that would swallow them. */
static const struct route routes[] = {
	{"GET", "", version_get},
	{"GET", "1.0/info", info_get},
	{"GET", "1.0/details", details_get},
	{"PUT", "1.0/loadbalancer/:/:/haproxy", haproxy_put},
	{"GET", "1.0/loadbalancer/:/haproxy", haproxy_get},
	{"PUT", "1.0/loadbalancer/:/:/model", model_put},
	{"GET", "1.0/loadbalancer/:/model", model_get},
	{"GET", "1.0/loadbalancer/:/status", status_get},
	{"GET", "1.0/loadbalancer/:/stats", stats_get},
	{"DELETE", "1.0/loadbalancer/:", load_balancer_delete},
	{"PUT", "1.0/loadbalancer/:/:", load_balancer_act},
	{"GET", "1.0/heartbeat", heartbeat_get},
	{"GET", "1.0/listeners", listeners_get},
	{"DELETE", "1.0/listeners/:", listener_delete},
	{"PUT", "1.0/listeners/:/:/udp_listener", udp_listener_put},
	{"GET", "1.0/listeners/:/udp_listener", udp_listener_get},
	{"PUT", "1.0/loadbalancer/:/certificates/:", certificate_put},
	{"GET", "1.0/loadbalancer/:/certificates/:", certificate_get},
	{"DELETE", "1.0/loadbalancer/:/certificates/:", certificate_delete},
	{"GET", "1.0/interface/:", interface_get},
	{"PUT", "1.0/interface/:/rules", interface_rules_put},
	{"POST", "1.0/plug/vip/:", plug_vip_post},
	{"POST", "1.0/plug/network", plug_network_post},
	{"PUT", "1.0/vrrp/upload", vrrp_config_put},
	{"PUT", "1.0/vrrp/:", vrrp_act},
	{"PUT", "1.0/certificate", server_certificate_put},
	{"PUT", "1.0/config", config_put},
};

/* Cuts a path at its slashes, dropping empty parts. The count, or -E2BIG. */
static int path_split(const char *path, struct route_segment segments[static SEGMENTS_MAX])
{
	int count = 0;

	while (*path) {
		size_t size = strcspn(path, "/");

		if (size > 0) {
			if (count == SEGMENTS_MAX)
				return -E2BIG;
			segments[count++] = (struct route_segment){path, size};
		}
		path += size;
		if (*path == '/')
			path++;
	}
	return count;
}

static bool route_matches(const struct route *route, const struct route_segment *segments,
	int count, struct call *call)
{
	struct route_segment pattern[SEGMENTS_MAX];
	size_t parameters = 0;

	if (path_split(route->path, pattern) != count)
		return false;
	for (int i = 0; i < count; i++) {
		if (pattern[i].text[0] == ':')
			call->parameters[parameters++] = segments[i];
		else if (pattern[i].size_bytes != segments[i].size_bytes ||
			 memcmp(pattern[i].text, segments[i].text, segments[i].size_bytes) != 0)
			return false;
	}
	return true;
}

static void reply_method_not_allowed(struct buf *allowed, struct http_reply *ret_reply)
{
	reply_framework_error(ret_reply, 405,
		"405 Method Not Allowed: The method is not allowed for the requested URL.");
	ret_reply->allow = buf_take_text(allowed);
}

static void call_dispatch(struct call *call, struct http_reply *ret_reply)
{
	struct route_segment segments[SEGMENTS_MAX];
	cleanup_buf struct buf allowed = BUF_INIT(KIB);
	int count = path_split(call->request->path, segments);

	for (size_t i = 0; count >= 0 && i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (!route_matches(&routes[i], segments, count, call))
			continue;
		if (text_equal(routes[i].method, call->request->method)) {
			routes[i].handler(call, ret_reply);
			return;
		}
		buf_append_format(
			&allowed, "%s%s", allowed.size_bytes ? ", " : "", routes[i].method);
	}
	if (allowed.size_bytes) {
		reply_method_not_allowed(&allowed, ret_reply);
		return;
	}
	reply_framework_error(ret_reply, 404,
		"404 Not Found: The requested URL was not found on the server. If you entered the "
		"URL manually please check your spelling and try again.");
}

/* One line a request; why one failed stands in its reply, and is logged here for all handlers. */
static void call_log(
	const struct http_request *request, const struct http_reply *reply, int64_t took_ms)
{
	bool failed = reply->status >= 400;
	cleanup_free char *line = xformat("%s %.*s %d %lld ms%s%.*s", request->method,
		LOGGED_PATH_MAX, request->path, reply->status, (long long)took_ms,
		failed ? ": " : "", failed ? LOGGED_BODY_MAX : 0, reply->body);

	if (reply->status >= 500)
		log_error("%s", line);
	else
		log_info("%s", line);
}

void route_handle(void *context, const struct http_request *request, struct http_reply *ret_reply)
{
	struct call call = {.agent = context, .request = request};
	int64_t started_ms = clock_now_ms();

	call_dispatch(&call, ret_reply);
	call_log(request, ret_reply, clock_now_ms() - started_ms);
}

int call_id(const struct call *call, size_t parameter, const char *what, struct id *ret_id,
	struct http_reply *ret_reply)
{
	const struct route_segment *segment = &call->parameters[parameter];
	struct err err = ERR_NONE;
	int r = id_parse(segment->text, segment->size_bytes, what, ret_id, &err);

	if (r < 0)
		reply_failure(ret_reply, r, "Invalid request", &err);
	return r;
}
