/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: models (model/load_balancer.h) and what is rendered from them. Whatever the bytes,
 * they are refused with faults, or the text holds exactly the proxies and servers of the model. Run
 * it in the source tree, whose templates/ it renders.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "model/load_balancer.h"
#include "render/haproxy_cfg.h"

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
static struct count count_text(const char *text)
{
	struct count count = {0};

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		count.frontends += text_starts_with(line, "frontend ");
		count.backends += text_starts_with(line, "backend ");
		count.servers += text_starts_with(line + strspn(line, " "), "server ");
	}
	return count;
}

static void check_text(const struct load_balancer *load_balancer, const struct buf *text)
{
	struct count model = count_model(load_balancer);
	struct count rendered = count_text(buf_text(text));

	if (model.frontends != rendered.frontends || model.backends != rendered.backends ||
		model.servers != rendered.servers)
		abort();
	if (!text_is_utf8(buf_text(text), text->size_bytes))
		abort();
	for (size_t i = 0; i < text->size_bytes; i++)
		if ((unsigned char)text->data[i] < 0x20 && text->data[i] != '\n')
			abort();
}

static void check_faults(const struct fault_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].text[0] == '\0' ||
			(list->items[i].path[0] != '\0' && list->items[i].path[0] != '/'))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
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
	cleanup_faults struct faults faults = {0};
	cleanup_load_balancer struct load_balancer *load_balancer = NULL;
	cleanup_buf struct buf text = BUF_INIT(16 * MIB);
	int r = load_balancer_parse(
		(const char *)data, size_bytes, NULL, &faults, &load_balancer, NULL);

	check_faults(&faults.errors);
	check_faults(&faults.warnings);
	if ((r < 0) != (faults.errors.count > 0) || (r < 0) != (load_balancer == NULL))
		abort();
	if (r < 0)
		return 0;
	r = render_haproxy_cfg(load_balancer, &options, &text, NULL);
	if (r == 0)
		check_text(load_balancer, &text);
	else if (r != -EMSGSIZE)
		abort();
	return 0;
}
