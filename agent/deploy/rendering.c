/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/rendering.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "deploy/clients.h"
#include "deploy/origin.h"
#include "haproxy/instance.h"
#include "haproxy/site.h"
#include "haproxy/upload.h"
#include "keepalived/site.h"
#include "keepalived/vrrp.h"
#include "lvs/instance.h"
#include "render/haproxy_cfg.h"
#include "render/keepalived_lvs.h"
#include "render/keepalived_vrrp.h"
#include "sys/installation.h"
#include "sys/package.h"

enum { NOTES_MAX_BYTES = 64 * KIB };

/* HAProxy 3.1 and newer do. */
static bool knows_init_state(const struct haproxy_site *site)
{
	struct package_version version;
	unsigned long major, minor = 0;
	char *rest;

	package_haproxy_version(site->haproxy_cmd, &version);
	major = strtoul(version.text, &rest, 10);
	if (*rest == '.')
		minor = strtoul(rest + 1, NULL, 10);
	return major > 3 || (major == 3 && minor >= 1);
}

/* An operator's template may hold what no upload may, and keeps it no more than an upload does. */
static int haproxy_render(const struct deploy_site *deploy,
	const struct load_balancer *load_balancer, const char *etag, struct buf *ret_text,
	struct err *err)
{
	cleanup_buf struct buf rendered = BUF_INIT(HAPROXY_CONFIG_MAX_BYTES);
	cleanup_buf struct buf notes = BUF_INIT(NOTES_MAX_BYTES);
	const struct haproxy_site *site = deploy->haproxy;
	const struct haproxy_cfg_options options = {
		.template_dir = site->template_dir,
		.base_path = site->base_path,
		.base_cert_dir = site->base_cert_dir,
		.model_etag = etag,
		.log_socket = RENDER_LOG_SOCKET,
		.user_log_facility = site->user_log_facility,
		.administrative_log_facility = site->administrative_log_facility,
		.stick_table_size = RENDER_STICK_TABLE_SIZE,
		.prometheus_port = site->prometheus_port,
		.prometheus_exporter_port = site->prometheus_exporter_port,
		.available_memory_kib = deploy->machine.available_kib,
		.cpu_count = deploy->machine.cpu_count,
		.members_start_down = site->members_start_down && knows_init_state(site),
	};
	int r = render_haproxy_cfg(load_balancer, &options, &rendered, err);

	if (r < 0)
		return r;
	haproxy_upload_rewrite(buf_text(&rendered), rendered.size_bytes, ret_text, &notes);
	if (buf_error(ret_text))
		return err_set_errno(err, buf_error(ret_text), "rendering haproxy.cfg");
	return 0;
}

static int listener_render(const struct deploy_site *site,
	const struct load_balancer *load_balancer, const struct listener *listener,
	struct buf *ret_text, struct err *err)
{
	cleanup_free char *udp_check_script =
		xformat("%s/lvs/check/udp_check.sh", lvs_site_base_path(site->lvs));
	cleanup_free char *health_checker = installation_find_program("amphora-health-checker");
	const struct keepalived_lvs_options options = {
		.template_dir = site->haproxy->template_dir,
		.network_namespace = site->keepalived->network_namespace,
		.udp_check_script = udp_check_script,
		.health_checker = health_checker,
	};

	origin_append(&load_balancer->id, ret_text);
	clients_append(listener->allowed_cidrs, listener->allowed_cidr_count, ret_text);
	return render_keepalived_lvs(load_balancer, listener, &options, ret_text, err);
}

static int rendering_compare(const void *a, const void *b)
{
	return strcmp(((const struct listener_rendering *)a)->id.text,
		((const struct listener_rendering *)b)->id.text);
}

static int listeners_render(const struct deploy_site *site,
	const struct load_balancer *load_balancer, struct rendering *rendering, struct err *err)
{
	int r = 0;

	rendering->listeners =
		xcalloc(load_balancer->listener_count + 1, sizeof(*rendering->listeners));
	for (size_t i = 0; r == 0 && i < load_balancer->listener_count; i++) {
		const struct listener *listener = &load_balancer->listeners[i];
		struct listener_rendering *rendered;

		if (!listener_is_lvs(listener))
			continue;
		rendered = &rendering->listeners[rendering->listener_count++];
		*rendered = (struct listener_rendering){
			.id = listener->id,
			.text = BUF_INIT(LVS_CONFIG_MAX_BYTES),
		};
		r = listener_render(site, load_balancer, listener, &rendered->text, err);
	}
	qsort(rendering->listeners, rendering->listener_count, sizeof(*rendering->listeners),
		rendering_compare);
	return r;
}

static int vrrp_render(const struct deploy_site *site, const struct load_balancer *load_balancer,
	const struct amphora *amphora, struct buf *ret_text, struct err *err)
{
	cleanup_free char *check_script =
		xformat("%s/vrrp/check_script.sh", site->keepalived->base_path);
	const struct keepalived_vrrp_options options = {
		.template_dir = site->haproxy->template_dir,
		.check_script = check_script,
	};

	origin_append(&load_balancer->id, ret_text);
	return render_keepalived_vrrp(load_balancer, amphora, &options, ret_text, err);
}

int rendering_make(const struct deploy_site *site, const struct load_balancer *load_balancer,
	const struct amphora *amphora, const char *etag, struct rendering *ret_rendering,
	struct err *err)
{
	int r;

	*ret_rendering = (struct rendering){
		.haproxy = BUF_INIT(HAPROXY_CONFIG_MAX_BYTES),
		.vrrp = BUF_INIT(VRRP_CONFIG_MAX_BYTES),
		.has_vrrp = amphora,
	};
	r = haproxy_render(site, load_balancer, etag, &ret_rendering->haproxy, err);
	if (r == 0)
		r = listeners_render(site, load_balancer, ret_rendering, err);
	if (r == 0 && amphora)
		r = vrrp_render(site, load_balancer, amphora, &ret_rendering->vrrp, err);
	return r;
}

void rendering_deinit(struct rendering *rendering)
{
	buf_deinit(&rendering->haproxy);
	for (size_t i = 0; i < rendering->listener_count; i++)
		buf_deinit(&rendering->listeners[i].text);
	free(rendering->listeners);
	buf_deinit(&rendering->vrrp);
}

const struct buf *rendering_find(const struct rendering *rendering, const struct id *listener)
{
	const struct listener_rendering like = {.id = *listener};
	const struct listener_rendering *found = bsearch(&like, rendering->listeners,
		rendering->listener_count, sizeof(*rendering->listeners), rendering_compare);

	return found ? &found->text : NULL;
}
