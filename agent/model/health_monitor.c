/* SPDX-License-Identifier: Apache-2.0 */
#include "model/health_monitor.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "model/keepalived_word.h"
#include "model/naming.h"
#include "model/reader.h"

/* Limits are those of Octavia's API and database. */
enum {
	PATH_CHARACTERS_MAX = 255,
	HOST_CHARACTERS_MAX = 255,
	HOST_LENGTH_MAX = 253,
	HOST_LABEL_MAX = 63,
	CODES_CHARACTERS_MAX = 64,
	CODE_MIN = 100,
	CODE_MAX = 999,
	CODE_OF_LVS_MAX = 599, /* keepalived's */
};

static const struct choice types[] = {
	{"HTTP", HEALTH_MONITOR_HTTP},
	{"TCP", HEALTH_MONITOR_TCP},
	{"HTTPS", HEALTH_MONITOR_HTTPS},
	{"PING", HEALTH_MONITOR_PING},
	{"TLS-HELLO", HEALTH_MONITOR_TLS_HELLO},
	{"UDP-CONNECT", HEALTH_MONITOR_UDP_CONNECT},
	{"SCTP", HEALTH_MONITOR_SCTP},
	{NULL, 0},
};

/* Which of them check the members of UDP and SCTP pools, and which those of all others, as
 * Octavia's API has it. */
static const bool checks_lvs[HEALTH_MONITOR_TYPE_COUNT] = {
	[HEALTH_MONITOR_TCP] = true,
	[HEALTH_MONITOR_HTTP] = true,
	[HEALTH_MONITOR_UDP_CONNECT] = true,
	[HEALTH_MONITOR_SCTP] = true,
};
static const bool checks_haproxy[HEALTH_MONITOR_TYPE_COUNT] = {
	[HEALTH_MONITOR_TCP] = true,
	[HEALTH_MONITOR_HTTP] = true,
	[HEALTH_MONITOR_HTTPS] = true,
	[HEALTH_MONITOR_PING] = true,
	[HEALTH_MONITOR_TLS_HELLO] = true,
};

/* value is the index. */
static const struct choice methods[] = {{"GET", 0}, {"HEAD", 1}, {"POST", 2}, {"PUT", 3},
	{"DELETE", 4}, {"TRACE", 5}, {"OPTIONS", 6}, {"PATCH", 7}, {"CONNECT", 8}, {NULL, 0}};

static const char *const required_keys[] = {"type", "delay", "timeout", "max_retries", NULL};
#define REFUSED_WITHOUT_REQUEST "has a meaning for HTTP and HTTPS monitors only"
static const struct refused_key refused_without_request[] = {
	{"http_method", REFUSED_WITHOUT_REQUEST},
	{"url_path", REFUSED_WITHOUT_REQUEST},
	{"expected_codes", REFUSED_WITHOUT_REQUEST},
	{NULL, NULL},
};
/* Octavia's API takes these, and stores them. */
#define IGNORED_WITHOUT_REQUEST "has no effect: only HTTP and HTTPS monitors send requests"
static const struct refused_key ignored_without_request[] = {
	{"http_version", IGNORED_WITHOUT_REQUEST},
	{"domain_name", IGNORED_WITHOUT_REQUEST},
	{NULL, NULL},
};

static bool is_hex(char c)
{
	return isxdigit((unsigned char)c);
}

/* NULL, or what is wrong with it. */
static const char *fault_of_path(const char *path)
{
	if (path[0] != '/')
		return "must begin with '/'";
	if (path[1] == '/')
		return "must be a path: '//' begins a host name";
	if (strcspn(path, "[]") < strcspn(path, "?"))
		return "must not hold '[' or ']' before its '?': write %5B and %5D";
	for (const char *p = path; *p; p++) {
		if (*p == ' ')
			return "must not hold a space: write %20";
		if (*p == '#')
			return "must not hold '#': a fragment is never sent to a server";
		if (*p == '%' && !(is_hex(p[1]) && is_hex(p[2])))
			return "holds a '%' that two hexadecimal digits do not follow";
	}
	return NULL;
}

/* A domain name as Octavia's API takes it: '_' may begin a label, nothing else is special. */
static bool is_domain_name(const char *name)
{
	size_t length = strlen(name);

	if (length > 0 && name[length - 1] == '.')
		length--;
	if (length == 0 || length > HOST_LENGTH_MAX)
		return false;
	for (size_t start = 0; start < length;) {
		size_t end = start;

		for (; end < length && name[end] != '.'; end++)
			if (!isalnum((unsigned char)name[end]) && name[end] != '-' &&
				!(name[end] == '_' && end == start))
				return false;
		if (end == start || end - start > HOST_LABEL_MAX || name[start] == '-' ||
			name[end - 1] == '-' || end == length - 1)
			return false;
		start = end + 1;
	}
	return true;
}

static int parse_code(const char *text, unsigned *ret_code)
{
	uint64_t code;

	if (strnlen(text, 3) < 3 || text_parse_u64_span(text, 3, CODE_MIN, CODE_MAX, &code) < 0)
		return -EINVAL;
	*ret_code = (unsigned)code;
	return 0;
}

/* "200", "200-204" or "200, 202": -EINVAL, or sets ret_expected[code] for each. */
static int parse_codes(const char *text, bool ret_expected[static CODE_MAX + 1])
{
	unsigned low, high;

	if (strlen(text) == 7 && text[3] == '-') {
		if (parse_code(text, &low) < 0 || parse_code(text + 4, &high) < 0 || low > high)
			return -EINVAL;
		for (unsigned code = low; code <= high; code++)
			ret_expected[code] = true;
		return 0;
	}
	for (;;) {
		if (parse_code(text, &low) < 0)
			return -EINVAL;
		ret_expected[low] = true;
		text += 3;
		text += strspn(text, " ");
		if (*text == '\0')
			return 0;
		if (*text++ != ',')
			return -EINVAL;
		text += strspn(text, " ");
	}
}

static void read_codes(struct reader *reader, struct health_monitor_request *request)
{
	bool expected[CODE_MAX + 1] = {false};
	const char *text = reader_text(reader, "expected_codes", CODES_CHARACTERS_MAX);

	if (parse_codes(text ? text : "200", expected) < 0) {
		reader_fault(reader, "expected_codes",
			"must be status codes from %d to %d: \"200\", \"200,202\" or \"200-204\"",
			CODE_MIN, CODE_MAX);
		return;
	}
	for (unsigned code = CODE_MIN; code <= CODE_MAX; code++)
		request->code_count += expected[code];
	request->codes = xcalloc(request->code_count, sizeof(*request->codes));
	for (unsigned code = CODE_MIN, i = 0; code <= CODE_MAX; code++)
		if (expected[code])
			request->codes[i++] = (uint16_t)code;
}

/* A number in Octavia's API; a person may write it as a text. */
static const char *read_version(struct reader *reader)
{
	const json_t *value = reader_value(reader, "http_version");
	const char *text = json_string_value(value);

	if (!value)
		return NULL;
	if (text_equal(text ? text : "", "1.0") || json_number_value(value) == 1.0)
		return "1.0";
	if (text_equal(text ? text : "", "1.1") || json_number_value(value) == 1.1)
		return "1.1";
	reader_fault(reader, "http_version", "must be 1.0 or 1.1");
	return NULL;
}

static void read_host(struct reader *reader, struct health_monitor_request *request)
{
	const char *host = reader_text(reader, "domain_name", HOST_CHARACTERS_MAX);
	/* A version at fault is none, and could have been any. */
	bool is_1_0 = request->version ? text_equal(request->version, "1.0")
				       : !reader_has(reader, "http_version");

	if (!host)
		return;
	if (!is_domain_name(host))
		reader_fault(reader, "domain_name", "must be a domain name");
	else if (is_1_0)
		reader_fault(reader, "domain_name", "needs http_version 1.1");
	else
		request->host = xstrdup(host);
}

static void read_request(struct reader *reader, struct health_monitor_request *request)
{
	const char *path = reader_text(reader, "url_path", PATH_CHARACTERS_MAX);
	const char *fault = path ? fault_of_path(path) : NULL;

	if (fault)
		reader_fault(reader, "url_path", "%s", fault);
	request->path = xstrdup(path ? path : "/");
	request->method = methods[reader_choice(reader, "http_method", methods, 0)].name;
	request->version = read_version(reader);
	read_host(reader, request);
	read_codes(reader, request);
}

static void check_type(
	struct reader *reader, enum health_monitor_type type, enum pool_protocol pool_protocol)
{
	bool of_lvs = pool_protocol_is_lvs(pool_protocol);

	if (type == HEALTH_MONITOR_TYPE_UNKNOWN || pool_protocol == POOL_PROTOCOL_UNKNOWN)
		return;
	if (!(of_lvs ? checks_lvs : checks_haproxy)[type])
		reader_fault(reader, "type", "%s monitors cannot check the members of %s pools",
			choice_name(types, (int)type), pool_protocol_name(pool_protocol));
}

/* What keepalived can be told; Octavia, too, has it send nothing but GET. */
static void check_request_of_lvs(
	struct reader *reader, const struct health_monitor_request *request)
{
	const char *fault = keepalived_word_fault(request->path);

	if (fault)
		reader_fault(reader, "url_path", "%s", fault);
	if (request->code_count > 0 && request->codes[request->code_count - 1] > CODE_OF_LVS_MAX)
		reader_fault(reader, "expected_codes",
			"must be at most %d in UDP and SCTP pools: keepalived knows no others",
			CODE_OF_LVS_MAX);
	if (!text_equal(request->method, "GET"))
		reader_warn(reader, "http_method",
			"is not GET: members of UDP and SCTP pools are then not checked at all");
}

static void read_times(struct reader *reader, enum health_monitor_type type,
	enum pool_protocol pool_protocol, struct health_monitor *monitor)
{
	long timeout_max_s = pool_protocol_is_lvs(pool_protocol) ? HEALTH_MONITOR_LVS_TIMEOUT_MAX_S
								 : HEALTH_MONITOR_SECONDS_MAX;
	long delay_min_s = type == HEALTH_MONITOR_UDP_CONNECT ? HEALTH_MONITOR_UDP_DELAY_MIN_S : 1;

	monitor->delay_ms = reader_duration_ms(
		reader, "delay", 1000, delay_min_s, HEALTH_MONITOR_SECONDS_MAX, 0);
	monitor->timeout_ms = reader_duration_ms(reader, "timeout", 1000, 1, timeout_max_s, 0);
	if (monitor->delay_ms > 0 && monitor->timeout_ms > monitor->delay_ms)
		reader_warn(reader, "timeout",
			"is longer than delay: a check may still be under way when the next is "
			"due");
}

static void read_retries(struct reader *reader, struct health_monitor *monitor)
{
	monitor->max_retries =
		(unsigned)reader_number(reader, "max_retries", 1, HEALTH_MONITOR_RETRIES_MAX, 1);
	monitor->max_retries_down = (unsigned)reader_number(reader, "max_retries_down", 1,
		HEALTH_MONITOR_RETRIES_MAX, HEALTH_MONITOR_RETRIES_DOWN_DEFAULT);
}

void health_monitor_parse(struct reader *reader, struct naming *naming, const struct id *pool_id,
	enum pool_protocol pool_protocol, struct health_monitor *ret_monitor)
{
	enum health_monitor_type type = (enum health_monitor_type)reader_choice(
		reader, "type", types, HEALTH_MONITOR_TYPE_UNKNOWN);

	*ret_monitor = (struct health_monitor){.name = reader_name(reader), .type = type};
	reader_require(reader, required_keys);
	check_type(reader, type, pool_protocol);
	naming_read_id(naming, reader, NAMING_HEALTH_MONITOR,
		pool_id->text[0] ? pool_id->text : NULL, &ret_monitor->id);
	ret_monitor->admin_state_up = reader_flag(reader, "admin_state_up", true);
	read_times(reader, type, pool_protocol, ret_monitor);
	read_retries(reader, ret_monitor);
	/* What is said of requests is checked, too, where the type is at fault. */
	if (type == HEALTH_MONITOR_HTTP || type == HEALTH_MONITOR_HTTPS ||
		type == HEALTH_MONITOR_TYPE_UNKNOWN) {
		read_request(reader, &ret_monitor->request);
		if (pool_protocol_is_lvs(pool_protocol))
			check_request_of_lvs(reader, &ret_monitor->request);
	} else {
		reader_refuse(reader, refused_without_request);
		reader_ignore(reader, ignored_without_request);
	}
	reader_finish(reader, NULL);
}

void health_monitor_deinit(struct health_monitor *monitor)
{
	free(monitor->name);
	free(monitor->request.path);
	free(monitor->request.host);
	free(monitor->request.codes);
}
