/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: every text that a model leads to, read again as HAProxy and keepalived read it.
 * Whatever strings the model holds, a text has the lines and blocks of its templates, and as many
 * of each as the model has things. Run it in the source tree, whose templates/ it renders.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "model/load_balancer.h"
#include "render/haproxy_cfg.h"
#include "render/keepalived_lvs.h"
#include "render/keepalived_vrrp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

enum { WORD_MAX = 64, LINE_WORDS_MAX = 64, KEEPALIVED_LINE_MAX_BYTES = 1022 };

/* What a text has, or a model makes it have. */
struct count {
	size_t frontends, backends, binds, servers, policies;       /* haproxy.cfg */
	size_t virtual_servers, real_servers, instances, addresses; /* keepalived.conf */
};

/* The beginnings of a line's words, as the daemon reads them. */
struct line {
	char words[LINE_WORDS_MAX][WORD_MAX];
	size_t count;
};

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);            \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static bool is(const struct line *line, size_t word, const char *text)
{
	return word < line->count && text_equal(line->words[word], text);
}

static void line_add(struct line *line, size_t *length, char c)
{
	CHECK(line->count < LINE_WORDS_MAX);
	if (*length + 1 < WORD_MAX)
		line->words[line->count][(*length)++] = c;
	line->words[line->count][*length] = '\0';
}

static void line_end_word(struct line *line, size_t *length, bool *in_word)
{
	line->count += *in_word;
	*in_word = false;
	*length = 0;
}

/* Configuration manual, 2.2. Nothing rendered has a variable, or single quotes. */
static void haproxy_split(const char *text, size_t size_bytes, struct line *ret_line)
{
	bool in_word = false, quoted = false;
	size_t length = 0;

	ret_line->count = 0;
	for (size_t i = 0; i < size_bytes && (quoted || text[i] != '#'); i++) {
		if (text[i] == ' ' && !quoted) {
			line_end_word(ret_line, &length, &in_word);
			continue;
		}
		in_word = true;
		if (text[i] == '"') {
			quoted = !quoted;
			continue;
		}
		CHECK(text[i] != '\'' && !(text[i] == '$' && quoted));
		if (text[i] == '\\')
			CHECK(++i < size_bytes);
		line_add(ret_line, &length, text[i]);
	}
	CHECK(!quoted);
	line_end_word(ret_line, &length, &in_word);
}

static bool is_one_of(const struct line *line, const char *const words[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (is(line, 0, words[i]))
			return true;
	return false;
}

static void haproxy_count(const struct line *line, struct count *count)
{
	static const char *const others[] = {"acl", "balance", "cookie", "daemon",
		"default_backend", "defaults", "external-check", "fullconn", "global",
		"http-after-response", "http-check", "http-request", "http-reuse",
		"insecure-fork-wanted", "load-server-state-from-file", "log", "log-format",
		"maxconn", "mode", "no", "option", "peer", "peers", "redirect", "retries",
		"server-state-file", "stats", "stick", "stick-table", "tcp-check", "tcp-request",
		"timeout", "user"};

	if (line->count == 0)
		return;
	if (is(line, 0, "frontend") || is(line, 0, "backend"))
		CHECK(line->count == 2);
	count->frontends += is(line, 0, "frontend");
	count->backends += is(line, 0, "backend");
	count->binds += is(line, 0, "bind");
	count->servers += is(line, 0, "server");
	count->policies += is(line, 0, "use_backend") ||
			   (is(line, 0, "redirect") && !is(line, 1, "scheme")) ||
			   (is(line, 0, "http-request") && is(line, 1, "deny"));
	CHECK(is(line, 0, "frontend") || is(line, 0, "backend") || is(line, 0, "bind") ||
		is(line, 0, "server") || is(line, 0, "use_backend") ||
		is_one_of(line, others, sizeof(others) / sizeof(others[0])));
}

/* lib/parser.c of keepalived. A backslash must not stand before the closing quote. */
static void keepalived_split(
	const char *text, size_t size_bytes, size_t *depth, struct line *ret_line)
{
	bool quoted = false, in_word = false;
	size_t length = 0;

	CHECK(size_bytes <= KEEPALIVED_LINE_MAX_BYTES);
	ret_line->count = 0;
	for (size_t i = 0; i < size_bytes && (quoted || !strchr("#!", text[i])); i++) {
		if (!quoted && text[i] == '{')
			(*depth)++;
		if (!quoted && text[i] == '}')
			CHECK((*depth)-- > 0);
		if (text[i] == '"')
			quoted = !quoted;
		CHECK(quoted || text[i] != '\\');
		if (text[i] == '"' || (!quoted && strchr(" {}", text[i]))) {
			line_end_word(ret_line, &length, &in_word);
			continue;
		}
		in_word = true;
		line_add(ret_line, &length, text[i]);
	}
	CHECK(!quoted);
	line_end_word(ret_line, &length, &in_word);
}

static void keepalived_count(const struct line *line, struct count *count)
{
	if (line->count == 0)
		return;
	/* What keepalived would compute. */
	CHECK(!strchr("@~$", line->words[0][0]) && !text_starts_with(line->words[0], "include"));
	for (size_t i = 0; i < line->count; i++)
		CHECK(!is(line, i, "{") && !is(line, i, "}"));
	count->virtual_servers += is(line, 0, "virtual_server");
	count->real_servers += is(line, 0, "real_server");
	count->instances += is(line, 0, "vrrp_instance");
	count->addresses += is(line, 0, "from");
}

static struct count count_text(const struct buf *text, bool is_haproxy)
{
	const char *end = buf_text(text) + text->size_bytes;
	struct count count = {0};
	struct line line;
	size_t depth = 0, size;

	CHECK(text_is_utf8(buf_text(text), text->size_bytes));
	for (const char *start = buf_text(text); start < end; start += size + 1) {
		size = strcspn(start, "\n");
		for (size_t i = 0; i < size; i++)
			CHECK((unsigned char)start[i] >= 0x20);
		if (is_haproxy) {
			haproxy_split(start, size, &line);
			haproxy_count(&line, &count);
		} else {
			keepalived_split(start, size, &depth, &line);
			keepalived_count(&line, &count);
		}
	}
	CHECK(depth == 0);
	return count;
}

static bool is_in_force(const struct l7policy *policy)
{
	size_t up = 0;

	for (size_t i = 0; i < policy->rule_count; i++)
		up += policy->rules[i].admin_state_up;
	return policy->admin_state_up && up > 0 &&
	       (policy->action != L7POLICY_REDIRECT_TO_POOL ||
		       policy->redirect_pool->admin_state_up);
}

static void count_listener(const struct load_balancer *load_balancer,
	const struct listener *listener, struct count *count)
{
	size_t pool_count = 0;
	cleanup_free const struct pool **pools = listener_pools(listener, &pool_count);

	count->frontends++;
	count->binds += load_balancer->vip_count;
	for (size_t i = 0; i < pool_count; i++) {
		if (!pools[i]->admin_state_up)
			continue;
		count->backends++;
		count->servers += pools[i]->member_count;
	}
	for (size_t i = 0; i < listener->l7policy_count; i++)
		count->policies += is_in_force(&listener->l7policies[i]);
}

/* The internal proxies of PROMETHEUS listeners are there while such a one is, up or not. */
static struct count count_of_haproxy(const struct load_balancer *load_balancer)
{
	struct count count = {0};
	bool has_metrics = false;

	for (size_t i = 0; i < load_balancer->listener_count; i++) {
		const struct listener *listener = &load_balancer->listeners[i];

		has_metrics |= listener->protocol == LISTENER_PROMETHEUS;
		if (load_balancer->admin_state_up && listener->admin_state_up &&
			!listener_is_lvs(listener))
			count_listener(load_balancer, listener, &count);
	}
	count.frontends += has_metrics;
	count.binds += has_metrics;
	count.backends += has_metrics;
	count.servers += has_metrics;
	return count;
}

static bool has_family(const struct load_balancer *load_balancer, int family)
{
	for (size_t i = 0; i < load_balancer->vip_count; i++)
		if (load_balancer->vips[i].address.family == family)
			return true;
	return false;
}

static struct count count_of_lvs(
	const struct load_balancer *load_balancer, const struct listener *listener)
{
	const struct pool *pool = listener->default_pool;
	struct count count = {0};

	if (!load_balancer->admin_state_up || !listener->admin_state_up || !pool)
		return count;
	count.virtual_servers =
		(size_t)has_family(load_balancer, AF_INET) + has_family(load_balancer, AF_INET6);
	for (size_t i = 0; pool->admin_state_up && i < pool->member_count; i++)
		count.real_servers += pool->members[i].admin_state_up;
	return count;
}

static void check(int r, const struct buf *text, bool is_haproxy, struct count wanted)
{
	struct count found;

	CHECK(r == 0 || r == -EMSGSIZE);
	if (r < 0)
		return;
	found = count_text(text, is_haproxy);
	CHECK(memcmp(&found, &wanted, sizeof(found)) == 0);
}

static void check_haproxy(const struct load_balancer *load_balancer)
{
	static const struct haproxy_cfg_options options = {
		.template_dir = "templates",
		.base_path = "/var/lib/octavia",
		.base_cert_dir = "/var/lib/octavia/certs",
		.model_etag = "0123456789abcdef0123456789abcdef",
		.log_socket = RENDER_LOG_SOCKET,
		.stick_table_size = RENDER_STICK_TABLE_SIZE,
		.prometheus_port = RENDER_PROMETHEUS_PORT,
		.prometheus_exporter_port = RENDER_PROMETHEUS_EXPORTER_PORT,
	};
	cleanup_buf struct buf text = BUF_INIT(16 * MIB);
	int r = render_haproxy_cfg(load_balancer, &options, &text, NULL);

	check(r, &text, true, count_of_haproxy(load_balancer));
}

static void check_lvs(const struct load_balancer *load_balancer, const struct listener *listener)
{
	static const struct keepalived_lvs_options options = {
		.template_dir = "templates",
		.network_namespace = "amphora-haproxy",
		.udp_check_script = "/var/lib/octavia/lvs/check/udp_check.sh",
		.health_checker = "/usr/bin/amphora-health-checker",
	};
	cleanup_buf struct buf text = BUF_INIT(16 * MIB);
	int r = render_keepalived_lvs(load_balancer, listener, &options, &text, NULL);

	check(r, &text, false, count_of_lvs(load_balancer, listener));
}

static void check_vrrp(const struct load_balancer *load_balancer, const struct amphora *amphora)
{
	static const struct keepalived_vrrp_options options = {
		.template_dir = "templates",
		.check_script = "/var/lib/octavia/vrrp/check_script.sh",
	};
	cleanup_buf struct buf text = BUF_INIT(16 * MIB);
	int r = render_keepalived_vrrp(load_balancer, amphora, &options, &text, NULL);

	check(r, &text, false,
		(struct count){.instances = 1, .addresses = load_balancer->vip_count});
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	cleanup_faults struct faults faults = {0};
	cleanup_load_balancer struct load_balancer *load_balancer = NULL;

	if (load_balancer_parse(
		    (const char *)data, size_bytes, NULL, &faults, &load_balancer, NULL) < 0)
		return 0;
	check_haproxy(load_balancer);
	for (size_t i = 0; i < load_balancer->listener_count; i++)
		if (listener_is_lvs(&load_balancer->listeners[i]))
			check_lvs(load_balancer, &load_balancer->listeners[i]);
	for (size_t i = 0; i < load_balancer->amphora_count; i++)
		check_vrrp(load_balancer, &load_balancer->amphorae[i]);
	return 0;
}
