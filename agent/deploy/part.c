/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/part.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "haproxy/instance.h"

int parts_add(struct parts *parts, const struct part_kind *kind, const struct deploy_site *site,
	const struct id *id, void *instance, struct err *err)
{
	struct part *part;
	int r;

	parts->items = xrealloc_array(parts->items, parts->count + 1, sizeof(*parts->items));
	part = &parts->items[parts->count++];
	*part = (struct part){
		.kind = kind,
		.site = site,
		.id = *id,
		.instance = instance,
		.is_borrowed = instance,
		/* Of whatever kind: HAProxy's are the largest. */
		.before.text = BUF_INIT(HAPROXY_CONFIG_MAX_BYTES),
		.after.text = BUF_INIT(HAPROXY_CONFIG_MAX_BYTES),
	};
	if (!instance)
		kind->acquire(part);
	r = kind->read(part, &part->before.text, err);
	if (r < 0 && r != -ENOENT)
		return r;
	part->before.is_installed = r == 0;
	part->before.is_stopped = r == 0 && kind->is_stopped(part);
	part->before.is_running = kind->is_running(part);
	return 0;
}

void parts_deinit(struct parts *parts)
{
	while (parts->count > 0) {
		struct part *part = &parts->items[--parts->count];

		if (!part->is_borrowed)
			part->kind->release(part);
		buf_deinit(&part->before.text);
		buf_deinit(&part->after.text);
	}
	free(parts->items);
	parts->items = NULL;
}

void part_set_after(struct part *part, const struct buf *text, bool is_stopped)
{
	const struct part_state *before = &part->before;

	part->after.is_installed = text;
	part->after.is_stopped = is_stopped;
	if (text)
		buf_append(&part->after.text, buf_text(text), text->size_bytes);
	part->changes = before->is_installed != part->after.is_installed ||
			before->is_stopped != is_stopped ||
			before->text.size_bytes != part->after.text.size_bytes ||
			memcmp(buf_text(&before->text), buf_text(&part->after.text),
				before->text.size_bytes) != 0;
}

char *part_title(const struct part *part)
{
	if (part->kind == &part_haproxy)
		return xformat("HAProxy of load balancer %s", part->id.text);
	if (part->kind == &part_lvs)
		return xformat("LVS listener %s", part->id.text);
	return xstrdup("VRRP");
}
