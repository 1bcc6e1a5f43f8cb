/* SPDX-License-Identifier: Apache-2.0 */
#include "prometheus/metric.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Names stand without the prefix of their object, sorted. */
struct published {
	const char *haproxy_name;
	const char *name; /* whole; NULL: the object's prefix and haproxy_name */
	const char *help;
};

/* One of which only the prefix becomes another. */
#define SAME(haproxy_name)                                                                         \
	{                                                                                          \
		haproxy_name, NULL, NULL                                                           \
	}

static const struct published process_metrics[] = {
	SAME("connections_total"),
	SAME("current_backend_ssl_key_rate"),
	SAME("current_connection_rate"),
	SAME("current_connections"),
	SAME("current_frontend_ssl_key_rate"),
	SAME("current_session_rate"),
	{"current_ssl_connections", NULL, "Number of active SSL connections."},
	SAME("current_ssl_rate"),
	SAME("dropped_logs_total"),
	SAME("frontend_ssl_reuse"),
	SAME("http_comp_bytes_in_total"),
	SAME("http_comp_bytes_out_total"),
	SAME("limit_connection_rate"),
	SAME("limit_http_comp"),
	SAME("limit_session_rate"),
	SAME("limit_ssl_rate"),
	SAME("listeners"),
	SAME("max_backend_ssl_key_rate"),
	SAME("max_connection_rate"),
	SAME("max_connections"),
	SAME("max_frontend_ssl_key_rate"),
	SAME("max_session_rate"),
	SAME("max_ssl_connections"),
	SAME("max_ssl_rate"),
	{"pool_allocated_bytes", "octavia_memory_pool_allocated_bytes",
		"Total amount of memory allocated in the memory pools (in bytes)."},
	{"pool_failures_total", "octavia_memory_pool_failures_total",
		"Total number of failed memory pool allocations."},
	{"pool_used_bytes", "octavia_memory_pool_used_bytes",
		"Total amount of memory used in the memory pools (in bytes)."},
	SAME("requests_total"),
	SAME("ssl_cache_lookups_total"),
	SAME("ssl_cache_misses_total"),
	SAME("ssl_connections_total"),
};

static const struct published frontend_metrics[] = {
	SAME("bytes_in_total"),
	SAME("bytes_out_total"),
	SAME("connections_rate_max"),
	SAME("connections_total"),
	SAME("current_sessions"),
	{"denied_connections_total", NULL, "Total number of requests denied by connection rules."},
	{"denied_sessions_total", NULL, "Total number of requests denied by session rules."},
	{"failed_header_rewriting_total", NULL, "Total number of failed header rewriting rules."},
	SAME("http_cache_hits_total"),
	SAME("http_cache_lookups_total"),
	SAME("http_comp_bytes_bypassed_total"),
	SAME("http_comp_bytes_in_total"),
	SAME("http_comp_bytes_out_total"),
	SAME("http_comp_responses_total"),
	SAME("http_requests_rate_max"),
	SAME("http_requests_total"),
	SAME("http_responses_total"),
	SAME("intercepted_requests_total"),
	SAME("limit_session_rate"),
	SAME("limit_sessions"),
	SAME("max_session_rate"),
	SAME("max_sessions"),
	SAME("request_errors_total"),
	SAME("requests_denied_total"),
	SAME("responses_denied_total"),
	SAME("sessions_total"),
	{"status", NULL, "Current status of the listener."},
};

static const struct published backend_metrics[] = {
	{"active_servers", "octavia_pool_active_members", "Current number of active members."},
	{"backup_servers", "octavia_pool_backup_members", "Current number of backup members."},
	SAME("bytes_in_total"),
	SAME("bytes_out_total"),
	SAME("check_last_change_seconds"),
	SAME("check_up_down_total"),
	SAME("client_aborts_total"),
	SAME("connect_time_average_seconds"),
	SAME("connection_attempts_total"),
	SAME("connection_errors_total"),
	SAME("connection_reuses_total"),
	SAME("current_queue"),
	SAME("current_sessions"),
	{"downtime_seconds_total", NULL, "Total downtime (in seconds) for the pool."},
	SAME("failed_header_rewriting_total"),
	SAME("http_cache_hits_total"),
	SAME("http_cache_lookups_total"),
	SAME("http_comp_bytes_bypassed_total"),
	SAME("http_comp_bytes_in_total"),
	SAME("http_comp_bytes_out_total"),
	SAME("http_comp_responses_total"),
	SAME("http_requests_total"),
	SAME("http_responses_total"),
	{"last_session_seconds", NULL,
		"Number of seconds since last session assigned to a member."},
	SAME("limit_sessions"),
	{"loadbalanced_total", NULL,
		"Total number of times a pool was selected, either for new "
		"sessions, or when redispatching."},
	SAME("max_connect_time_seconds"),
	SAME("max_queue"),
	SAME("max_queue_time_seconds"),
	{"max_response_time_seconds", NULL,
		"Maximum observed time spent waiting for a member response."},
	SAME("max_session_rate"),
	SAME("max_sessions"),
	SAME("max_total_time_seconds"),
	SAME("queue_time_average_seconds"),
	SAME("redispatch_warnings_total"),
	SAME("requests_denied_total"),
	SAME("response_errors_total"),
	SAME("response_time_average_seconds"),
	SAME("responses_denied_total"),
	SAME("retry_warnings_total"),
	{"server_aborts_total", "octavia_pool_member_aborts_total",
		"Total number of data transfers aborted by the server."},
	SAME("sessions_total"),
	{"status", NULL, "Current status of the pool."},
	SAME("total_time_average_seconds"),
};

static const struct published server_metrics[] = {
	SAME("bytes_in_total"),
	SAME("bytes_out_total"),
	{"check_failures_total", NULL,
		"Total number of failed check (Only counts checks failed "
		"when the member is up)."},
	SAME("check_last_change_seconds"),
	SAME("check_up_down_total"),
	SAME("client_aborts_total"),
	SAME("connect_time_average_seconds"),
	SAME("connection_attempts_total"),
	SAME("connection_errors_total"),
	SAME("connection_reuses_total"),
	SAME("current_queue"),
	SAME("current_sessions"),
	{"current_throttle", NULL,
		"Current throttle percentage for the member, when slowstart "
		"is active, or no value if not in slowstart."},
	{"downtime_seconds_total", NULL, "Total downtime (in seconds) for the member."},
	SAME("failed_header_rewriting_total"),
	SAME("http_responses_total"),
	SAME("idle_connections_current"),
	SAME("idle_connections_limit"),
	{"last_session_seconds", NULL,
		"Number of seconds since last session assigned to the member."},
	SAME("limit_sessions"),
	{"loadbalanced_total", NULL,
		"Total number of times a member was selected, either for "
		"new sessions, or when redispatching."},
	SAME("max_connect_time_seconds"),
	SAME("max_queue"),
	SAME("max_queue_time_seconds"),
	{"max_response_time_seconds", NULL,
		"Maximum observed time spent waiting for a member response."},
	SAME("max_session_rate"),
	SAME("max_sessions"),
	SAME("max_total_time_seconds"),
	{"queue_limit", NULL, "Configured maxqueue for the member (0 meaning no limit)."},
	SAME("queue_time_average_seconds"),
	SAME("redispatch_warnings_total"),
	SAME("response_errors_total"),
	SAME("response_time_average_seconds"),
	SAME("responses_denied_total"),
	SAME("retry_warnings_total"),
	SAME("server_aborts_total"),
	SAME("sessions_total"),
	{"status", NULL, "Current status of the member."},
	SAME("total_time_average_seconds"),
	{"weight", NULL, "Member weight."},
};

/* What HAProxy speaks of, and what Octavia calls it. */
static const struct object {
	const char *haproxy_prefix;
	const char *prefix;
	const char *proxy_label;
	const struct published *metrics;
	size_t metric_count;
} objects[] = {
	{"haproxy_process_", "octavia_loadbalancer_", NULL, process_metrics,
		COUNT_OF(process_metrics)},
	{"haproxy_frontend_", "octavia_listener_", "listener", frontend_metrics,
		COUNT_OF(frontend_metrics)},
	{"haproxy_backend_", "octavia_pool_", "pool", backend_metrics, COUNT_OF(backend_metrics)},
	{"haproxy_server_", "octavia_member_", "pool", server_metrics, COUNT_OF(server_metrics)},
};

struct name {
	const char *text;
	size_t size_bytes;
};

static int name_compare(const void *key, const void *element)
{
	const struct name *name = key;
	const struct published *published = element;
	int r = strncmp(name->text, published->haproxy_name, name->size_bytes);

	return r != 0 || published->haproxy_name[name->size_bytes] == '\0' ? r : -1;
}

static void metric_make(
	const struct object *object, const struct published *published, struct metric *ret_metric)
{
	const char *parts[] = {object->prefix, published->haproxy_name};
	struct metric metric = {.help = published->help, .proxy_label = object->proxy_label};

	if (published->name) {
		parts[0] = published->name;
		parts[1] = "";
	}
	metric.name_size_bytes =
		(size_t)snprintf(metric.name, sizeof(metric.name), "%s%s", parts[0], parts[1]);
	*ret_metric = metric;
}

int metric_find(const char *name, size_t size_bytes, struct metric *ret_metric)
{
	for (size_t i = 0; i < COUNT_OF(objects); i++) {
		size_t prefix_size = strlen(objects[i].haproxy_prefix);
		struct name rest = {name + prefix_size, size_bytes - prefix_size};
		const struct published *found;

		if (size_bytes <= prefix_size ||
			memcmp(name, objects[i].haproxy_prefix, prefix_size) != 0)
			continue;
		found = bsearch(&rest, objects[i].metrics, objects[i].metric_count,
			sizeof(struct published), name_compare);
		if (!found)
			return -ENOENT;
		metric_make(&objects[i], found, ret_metric);
		return 0;
	}
	return -ENOENT;
}
