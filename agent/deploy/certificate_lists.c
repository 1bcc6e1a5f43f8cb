/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/certificate_lists.h"

#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/log.h"
#include "haproxy/certificate.h"
#include "render/crt_list.h"

/* One that is there has the same content, by which it is named. */
static int list_store(struct haproxy_instance *instance, const struct listener *listener,
	struct certificate_lists *lists, struct err *err)
{
	cleanup_free char *folder =
		haproxy_site_path(instance->site, &instance->id, HAPROXY_FILE_CERTIFICATES);
	cleanup_buf struct buf text = BUF_INIT(CRT_LIST_MAX_BYTES);
	struct certificate_name *name = &lists->names[lists->count];
	char md5[MD5_HEX_SIZE + 1];
	int r;

	crt_list_render(listener, folder, &text, name);
	if (haproxy_certificate_md5(instance->site, &instance->id, name, md5, NULL) == 0)
		return 0;
	r = haproxy_certificate_store(instance, name, buf_text(&text), text.size_bytes, err);
	if (r == 0)
		lists->count++;
	return r;
}

int certificate_lists_store(struct haproxy_instance *instance,
	const struct load_balancer *load_balancer, struct certificate_lists *ret_lists,
	struct err *err)
{
	int r = 0;

	*ret_lists = (struct certificate_lists){
		.names = xcalloc(load_balancer->listener_count + 1, sizeof(*ret_lists->names))};
	for (size_t i = 0; r == 0 && i < load_balancer->listener_count; i++)
		if (crt_list_is_needed(&load_balancer->listeners[i]))
			r = list_store(instance, &load_balancer->listeners[i], ret_lists, err);
	return r;
}

void certificate_lists_remove(
	struct haproxy_instance *instance, const struct certificate_lists *lists)
{
	for (size_t i = 0; i < lists->count; i++) {
		struct err err = ERR_NONE;

		if (haproxy_certificate_delete(instance, &lists->names[i], &err) < 0)
			log_warning("load balancer %s: %s", instance->id.text, err.text);
	}
}

void certificate_lists_deinit(struct certificate_lists *lists)
{
	free(lists->names);
}
