/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: models (model/load_balancer.h), what is said of them (model/fault_lines.h) and what
 * is rendered from them. Whatever the bytes, they are refused with faults, or the texts hold
 * exactly the proxies and servers of the model. Run it in the source tree, whose templates/ it
 * renders.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "model/fault_lines.h"
#include "model/load_balancer.h"
#include "render/haproxy_cfg.h"
#include "render/keepalived_lvs.h"
#include "render/keepalived_vrrp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

struct count {
	size_t frontends, backends, servers;
};

static void count_listener(const struct listener *listener, struct count *count)
{
	size_t pool_count = 0;
	cleanup_free const struct pool **pools = listener_pools(listener, &pool_count);

	count->frontends++;
	for (size_t i = 0; i < pool_count; i++) {
		if (!pools[i]->admin_state_up)
			continue;
		count->backends++;
		count->servers += pools[i]->member_count;
	}
}

/* With the internal proxies of PROMETHEUS listeners, a server in each of them. */
static struct count count_model(const struct load_balancer *load_balancer)
{
	struct count count = {0};

	for (size_t i = 0; i < load_balancer->listener_count; i++) {
		const struct listener *listener = &load_balancer->listeners[i];

		if (load_balancer->admin_state_up && listener->admin_state_up &&
			!listener_is_lvs(listener))
			count_listener(listener, &count);
	}
	for (size_t i = 0; i < load_balancer->listener_count; i++) {
		if (load_balancer->listeners[i].protocol != LISTENER_PROMETHEUS)
			continue;
		count.frontends++;
		count.backends++;
		count.servers++;
		break;
	}
	return count;
}

/* Lines by their first word; whatever a value tried to add would be a line, too. */
static size_t count_lines(const char *text, const char *word)
{
	size_t count = 0;

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		count += text_starts_with(line + strspn(line, " "), word);
	}
	return count;
}

static void check_bytes(const struct buf *text)
{
	if (!text_is_utf8(buf_text(text), text->size_bytes))
		abort();
	for (size_t i = 0; i < text->size_bytes; i++)
		if ((unsigned char)text->data[i] < 0x20 && text->data[i] != '\n')
			abort();
}

/* A text may be too large, never wrong. */
static bool is_rendered(int r)
{
	if (r < 0 && r != -EMSGSIZE)
		abort();
	return r == 0;
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
	struct count model = count_model(load_balancer);

	if (!is_rendered(render_haproxy_cfg(load_balancer, &options, &text, NULL)))
		return;
	if (count_lines(buf_text(&text), "frontend ") != model.frontends ||
		count_lines(buf_text(&text), "backend ") != model.backends ||
		count_lines(buf_text(&text), "server ") != model.servers)
		abort();
	check_bytes(&text);
}

static bool has_vip(const struct load_balancer *load_balancer, int family)
{
	for (size_t i = 0; i < load_balancer->vip_count; i++)
		if (load_balancer->vips[i].address.family == family)
			return true;
	return false;
}

/* No member is of a family that no VIP is of. */
static size_t count_real_servers(
	const struct load_balancer *load_balancer, const struct listener *listener)
{
	const struct pool *pool = listener->default_pool;
	size_t count = 0;

	if (!load_balancer->admin_state_up || !listener->admin_state_up || !pool ||
		!pool->admin_state_up)
		return 0;
	for (size_t i = 0; i < pool->member_count; i++) {
		if (!has_vip(load_balancer, pool->members[i].address.family))
			abort();
		count += pool->members[i].admin_state_up;
	}
	return count;
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

	if (!is_rendered(render_keepalived_lvs(load_balancer, listener, &options, &text, NULL)))
		return;
	if (count_lines(buf_text(&text), "real_server ") !=
		count_real_servers(load_balancer, listener))
		abort();
	check_bytes(&text);
}

static void check_vrrp(const struct load_balancer *load_balancer, const struct amphora *amphora)
{
	static const struct keepalived_vrrp_options options = {.template_dir = "templates",
		.check_script = "/var/lib/octavia/vrrp/check_script.sh"};
	cleanup_buf struct buf text = BUF_INIT(16 * MIB);

	if (!is_rendered(render_keepalived_vrrp(load_balancer, amphora, &options, &text, NULL)))
		return;
	if (count_lines(buf_text(&text), "vrrp_instance ") != 1 ||
		count_lines(buf_text(&text), "script ") != 1 ||
		count_lines(buf_text(&text), "from ") != load_balancer->vip_count)
		abort();
	check_bytes(&text);
}

static void check_faults(const struct fault_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].text[0] == '\0' ||
			(list->items[i].path[0] != '\0' && list->items[i].path[0] != '/'))
			abort();
}

/* One line for each, and nothing that a terminal would obey. */
static void check_lines(const struct faults *faults, const char *text, size_t size_bytes)
{
	cleanup_buf struct buf lines = BUF_INIT(FAULT_LINES_MAX);
	size_t count = faults->errors.count + faults->warnings.count;
	size_t left_out = faults->errors.left_out + faults->warnings.left_out;

	fault_lines_append(faults, "model.json", text, size_bytes, &lines);
	if (buf_error(&lines) || count_lines(buf_text(&lines), "model.json:") != count + !!left_out)
		abort();
	check_bytes(&lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	cleanup_faults struct faults faults = {0};
	cleanup_load_balancer struct load_balancer *load_balancer = NULL;
	int r = load_balancer_parse(
		(const char *)data, size_bytes, NULL, &faults, &load_balancer, NULL);

	check_faults(&faults.errors);
	check_faults(&faults.warnings);
	if ((r < 0) != (faults.errors.count > 0) || (r < 0) != (load_balancer == NULL))
		abort();
	check_lines(&faults, (const char *)data, size_bytes);
	if (r < 0)
		return 0;
	check_haproxy(load_balancer);
	for (size_t i = 0; i < load_balancer->listener_count; i++)
		if (listener_is_lvs(&load_balancer->listeners[i]))
			check_lvs(load_balancer, &load_balancer->listeners[i]);
	for (size_t i = 0; i < load_balancer->amphora_count; i++)
		check_vrrp(load_balancer, &load_balancer->amphorae[i]);
	return 0;
}
