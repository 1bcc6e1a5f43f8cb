/* SPDX-License-Identifier: Apache-2.0 */
#include "haproxy/runtime.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "haproxy/config_line.h"
#include "haproxy/master.h"
#include "haproxy/server.h"

/* Beyond so many a reload is quicker, and one step. */
enum { COMMANDS_MAX = 2000, ANSWER_MAX_BYTES = 16 * KIB };

/* For short connections to end by themselves; long ones are a reload's. Of a whole plan. */
enum { PATIENCE_MS = 500, PATIENCE_STEP_MS = 5 };

/* What HAProxy answers where it does not stay silent. */
static const struct {
	const char *command;
	const char *answer;
} expected_answers[] = {
	{"add server ", "New server registered."},
	{"del server ", "Server deleted."},
};

/*
 * The refusal that time may change: a server that gets nothing new any more still has its last
 * connections. (`wait`, which 3.0 and later know, ends when the asking side is shut, as ours is.)
 */
static const char not_yet[] = "Server still has connections";

/* Only letters that mean nothing to the command line that they are to be part of. */
static bool is_safe(const char *text)
{
	static const char safe[] = "0123456789abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ_.:,/@=+- ";

	return text[strspn(text, safe)] == '\0';
}

static bool is_server_line(const struct haproxy_line *line)
{
	return text_equal(line->section, "backend") && haproxy_line_is(line, "server", NULL);
}

/* The next line that is no server of a backend. */
static bool skeleton_next(struct haproxy_lines *lines, struct haproxy_line *ret_line)
{
	while (haproxy_lines_next(lines, ret_line))
		if (!is_server_line(ret_line))
			return true;
	return false;
}

/* Whether two configs differ in nothing but comments, empty lines and servers of backends. */
static int skeleton_compare(const char *old, size_t old_size_bytes, const char *new,
	size_t new_size_bytes, struct err *err)
{
	cleanup_haproxy_lines struct haproxy_lines old_lines;
	cleanup_haproxy_lines struct haproxy_lines new_lines;
	struct haproxy_line old_line;
	struct haproxy_line new_line;
	bool more;

	haproxy_lines_init(&old_lines, old, old_size_bytes);
	haproxy_lines_init(&new_lines, new, new_size_bytes);
	do {
		more = skeleton_next(&old_lines, &old_line);
		if (skeleton_next(&new_lines, &new_line) != more)
			return err_set(err, -ENOTSUP, "lines were added or removed at the end");
		if (more && (old_line.size_bytes != new_line.size_bytes ||
				    memcmp(old_line.text, new_line.text, new_line.size_bytes)))
			return err_set(err, -ENOTSUP, "line %u has changed", new_line.number);
	} while (more);
	return 0;
}

/* Of a backend, as far as it decides what the Runtime API can do with its servers. */
struct backend {
	char *name;
	bool dynamic;
	bool odd; /* says something that nobody here has thought about */
};

struct backends {
	struct backend *items;
	size_t count;
};

static void backends_deinit(struct backends *backends)
{
	for (size_t i = 0; i < backends->count; i++)
		free(backends->items[i].name);
	free(backends->items);
}

/*
 * external-check: HAProxy prepares the command's environment only while it starts.
 * use-server and track name servers from elsewhere.
 */
static bool is_odd(const struct haproxy_line *line)
{
	return haproxy_line_is(line, "option", "external-check") ||
	       haproxy_line_is(line, "use-server", NULL) ||
	       haproxy_line_is(line, "server-template", NULL);
}

static bool is_dynamic(const struct haproxy_line *line)
{
	return text_equal(line->words[1], "roundrobin") || text_equal(line->words[1], "leastconn");
}

/*
 * What is not written on the server's own line, or only there if HAProxy says so, cannot be told by
 * comparing lines.
 */
static bool is_beyond_us(const struct haproxy_line *line)
{
	return line->words[0][0] == '.' || haproxy_line_is(line, "default-server", NULL) ||
	       (is_odd(line) && text_equal(line->section, "defaults"));
}

/* -ENOTSUP when something is odd for every backend. */
static int backends_parse(
	const char *text, size_t size_bytes, struct backends *ret_backends, struct err *err)
{
	cleanup_haproxy_lines struct haproxy_lines lines;
	struct haproxy_line line;

	haproxy_lines_init(&lines, text, size_bytes);
	while (haproxy_lines_next(&lines, &line)) {
		bool in_backend = text_equal(line.section, "backend");
		struct backend *backend = NULL;

		if (is_beyond_us(&line))
			return err_set(err, -ENOTSUP,
				"line %u: what '%s' means for servers is HAProxy's to say",
				line.number, line.words[0]);
		if (in_backend && line.opens_section) {
			ret_backends->items = xrealloc_array(ret_backends->items,
				ret_backends->count + 1, sizeof(*ret_backends->items));
			ret_backends->items[ret_backends->count++] =
				(struct backend){.name = xstrdup(line.words[1])};
		}
		if (!in_backend)
			continue;
		backend = &ret_backends->items[ret_backends->count - 1];
		if (haproxy_line_is(&line, "balance", NULL))
			backend->dynamic = is_dynamic(&line);
		backend->odd |= is_odd(&line);
	}
	return 0;
}

struct planning {
	struct backends backends;
	struct haproxy_servers old;
	struct haproxy_servers new;
	bool members_start_down;
	struct haproxy_runtime_plan plan; /* additions and changes */
	struct haproxy_runtime_plan removals;
};

static void planning_deinit(struct planning *planning)
{
	backends_deinit(&planning->backends);
	haproxy_servers_deinit(&planning->old);
	haproxy_servers_deinit(&planning->new);
	haproxy_runtime_plan_deinit(&planning->plan);
	haproxy_runtime_plan_deinit(&planning->removals);
}

static void plan_append(struct haproxy_runtime_plan *plan, char *command)
{
	plan->commands = xrealloc_array(plan->commands, plan->count + 1, sizeof(*plan->commands));
	plan->commands[plan->count++] = command;
}

/* Whether servers of that backend can be changed at all. */
static int backend_check(
	const struct planning *planning, const struct haproxy_server *server, struct err *err)
{
	for (size_t i = 0; i < planning->backends.count; i++) {
		const struct backend *backend = &planning->backends.items[i];

		if (!text_equal(backend->name, server->backend))
			continue;
		if (backend->dynamic && !backend->odd)
			return 0;
		return err_set(err, -ENOTSUP, "backend %s: its servers are fixed", backend->name);
	}
	return err_set(err, -ENOTSUP, "backend %s: not found", server->backend);
}

/* Whether one of the words is that one. */
static bool has_option(const struct haproxy_server *server, const char *option)
{
	size_t size = strlen(option);

	for (const char *at = server->options; (at = strstr(at, option)); at += size)
		if ((at == server->options || at[-1] == ' ') && (at[size] == ' ' || !at[size]))
			return true;
	return false;
}

/*
 * The checks of a server in the file speak TLS and the PROXY protocol where its traffic does,
 * unless they go elsewhere; those of an added one only where that is said (HAProxy's
 * init_srv_check()).
 */
static bool checks_like_traffic(const struct haproxy_server *server)
{
	return server->check && !has_option(server, "port") && !has_option(server, "addr");
}

static bool checks_by_tls(const struct haproxy_server *server)
{
	return checks_like_traffic(server) && has_option(server, "ssl") &&
	       !has_option(server, "check-ssl") && !has_option(server, "no-check-ssl");
}

static bool checks_by_proxy(const struct haproxy_server *server)
{
	static const char *const options[] = {
		"send-proxy", "send-proxy-v2", "send-proxy-v2-ssl", "send-proxy-v2-ssl-cn"};

	if (!checks_like_traffic(server) || has_option(server, "check-send-proxy"))
		return false;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (has_option(server, options[i]))
			return true;
	return false;
}

/*
 * What begins to serve is up to HAProxy until a check fails. With init-state, which 3.1 and newer
 * know, the server's own line says otherwise.
 */
static void plan_start(struct planning *planning, const struct haproxy_server *server)
{
	if (planning->members_start_down && server->check && !has_option(server, "init-state"))
		plan_append(&planning->plan,
			xformat("set server %s/%s health down", server->backend, server->name));
}

static int plan_addition(
	struct planning *planning, const struct haproxy_server *server, struct err *err)
{
	const char *backend = server->backend;
	const char *name = server->name;

	if (!server->plain || !is_safe(server->address) || !is_safe(server->options) ||
		strstr(server->options, "agent-check"))
		return err_set(err, -ENOTSUP, "server %s/%s: its line is more than plain words",
			backend, name);
	plan_append(&planning->plan,
		xformat("add server %s/%s %s%s%s%s%s weight %u", backend, name, server->address,
			server->options[0] ? " " : "", server->options,
			checks_by_tls(server) ? " check-ssl" : "",
			checks_by_proxy(server) ? " check-send-proxy" : "", server->weight));
	if (server->check)
		plan_append(&planning->plan, xformat("enable health %s/%s", backend, name));
	if (server->disabled)
		return 0;
	plan_append(&planning->plan, xformat("enable server %s/%s", backend, name));
	plan_start(planning, server);
	return 0;
}

static int plan_change(struct planning *planning, const struct haproxy_server *old,
	const struct haproxy_server *new, struct err *err)
{
	if (!text_equal(old->address, new->address) || !text_equal(old->options, new->options))
		return err_set(err, -ENOTSUP, "server %s/%s has changed", new->backend, new->name);
	if (old->weight != new->weight)
		plan_append(&planning->plan, xformat("set server %s/%s weight %u", new->backend,
						     new->name, new->weight));
	if (old->disabled != new->disabled)
		plan_append(&planning->plan, xformat("set server %s/%s state %s", new->backend,
						     new->name, new->disabled ? "maint" : "ready"));
	if (old->disabled && !new->disabled)
		plan_start(planning, new);
	return 0;
}

/* In maintenance it gets nothing new, which is what `del server` asks for. */
static void plan_removal(struct planning *planning, const struct haproxy_server *server)
{
	struct haproxy_runtime_plan *removals = &planning->removals;

	plan_append(
		removals, xformat("set server %s/%s state maint", server->backend, server->name));
	plan_append(removals, xformat("del server %s/%s", server->backend, server->name));
}

/* Whether the server next to it, which sorts beside it, has the same name. */
static bool is_twin(const struct haproxy_servers *servers, size_t i)
{
	return i + 1 < servers->count &&
	       haproxy_server_compare(&servers->items[i], &servers->items[i + 1]) == 0;
}

/* old or new is NULL where the server is missing. */
static int plan_server(struct planning *planning, const struct haproxy_server *old,
	const struct haproxy_server *new, struct err *err)
{
	const struct haproxy_server *server = old ? old : new;
	size_t before = planning->plan.count + planning->removals.count;
	int r = 0;

	if (!old)
		r = plan_addition(planning, new, err);
	else if (new)
		r = plan_change(planning, old, new, err);
	else
		plan_removal(planning, old);
	if (r < 0 || planning->plan.count + planning->removals.count == before)
		return r;
	if (!is_safe(server->backend) || !is_safe(server->name))
		return err_set(err, -ENOTSUP, "server %s/%s: its name needs quoting",
			server->backend, server->name);
	return backend_check(planning, server, err);
}

/* Both lists are sorted: one pass over both. */
static int plan_servers(struct planning *planning, struct err *err)
{
	size_t old_at = 0;
	size_t new_at = 0;

	while (old_at < planning->old.count || new_at < planning->new.count) {
		const struct haproxy_server *old = NULL;
		const struct haproxy_server *new = NULL;
		int order;
		int r;

		if (is_twin(&planning->old, old_at) || is_twin(&planning->new, new_at))
			return err_set(err, -ENOTSUP, "two servers have the same name");
		if (old_at == planning->old.count)
			order = 1;
		else if (new_at == planning->new.count)
			order = -1;
		else
			order = haproxy_server_compare(
				&planning->old.items[old_at], &planning->new.items[new_at]);
		if (order <= 0)
			old = &planning->old.items[old_at++];
		if (order >= 0)
			new = &planning->new.items[new_at++];
		r = plan_server(planning, old, new, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int haproxy_runtime_plan_make(const char *old, size_t old_size_bytes, const char *new,
	size_t new_size_bytes, bool members_start_down, struct haproxy_runtime_plan *ret_plan,
	struct err *err)
{
	CLEANUP(planning_deinit)
	struct planning planning = {.members_start_down = members_start_down};
	int r;

	*ret_plan = (struct haproxy_runtime_plan){0};
	if (old_size_bytes == new_size_bytes && memcmp(old, new, new_size_bytes) == 0)
		return 0;
	r = skeleton_compare(old, old_size_bytes, new, new_size_bytes, err);
	if (r < 0)
		return r;
	r = backends_parse(new, new_size_bytes, &planning.backends, err);
	if (r < 0)
		return r;
	haproxy_servers_parse(old, old_size_bytes, &planning.old);
	haproxy_servers_parse(new, new_size_bytes, &planning.new);
	r = plan_servers(&planning, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < planning.removals.count; i++)
		plan_append(&planning.plan, take_ptr(planning.removals.commands[i]));
	if (planning.plan.count > COMMANDS_MAX)
		return err_set(err, -ENOTSUP, "%zu commands would be needed", planning.plan.count);
	*ret_plan = planning.plan;
	planning.plan = (struct haproxy_runtime_plan){0};
	return 0;
}

void haproxy_runtime_plan_deinit(struct haproxy_runtime_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		free(plan->commands[i]);
	free(plan->commands);
	*plan = (struct haproxy_runtime_plan){0};
}

static bool is_expected(const char *command, const char *answer, size_t answer_size)
{
	const char *trimmed = text_trim(answer, answer_size, &answer_size);

	for (size_t i = 0; i < sizeof(expected_answers) / sizeof(expected_answers[0]); i++)
		if (text_starts_with(command, expected_answers[i].command))
			return answer_size == strlen(expected_answers[i].answer) &&
			       memcmp(trimmed, expected_answers[i].answer, answer_size) == 0;
	return answer_size == 0;
}

/*
 * Gives one command, again and again while that may help. *deadline_ms is that of all commands
 * together, and set by the first that must be patient.
 */
static int command_give(const char *command, const char *master_socket, pid_t worker,
	int64_t *deadline_ms, struct err *err)
{
	for (;;) {
		cleanup_buf struct buf answer = BUF_INIT(ANSWER_MAX_BYTES);
		int r = haproxy_master_command(master_socket, worker, command, &answer, err);

		if (r < 0)
			return err_wrap(err, -ENOTSUP, "'%s'", command);
		if (is_expected(command, buf_text(&answer), answer.size_bytes))
			return 0;
		if (*deadline_ms == 0)
			*deadline_ms = clock_now_ms() + PATIENCE_MS;
		if (!text_starts_with(buf_text(&answer), not_yet) ||
			clock_left_ms(*deadline_ms) == 0)
			return err_set(err, -ENOTSUP, "'%s': HAProxy answers: %.200s", command,
				buf_text(&answer));
		clock_sleep_ms(PATIENCE_STEP_MS);
	}
}

int haproxy_runtime_plan_apply(const struct haproxy_runtime_plan *plan, const char *master_socket,
	pid_t worker, struct err *err)
{
	int64_t deadline_ms = 0;

	for (size_t i = 0; i < plan->count; i++) {
		int r = command_give(plan->commands[i], master_socket, worker, &deadline_ms, err);

		if (r < 0)
			return r;
	}
	return 0;
}
