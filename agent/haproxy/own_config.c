/* SPDX-License-Identifier: Apache-2.0 */
#include "haproxy/own_config.h"

#include <errno.h>
#include <grp.h>
#include <jansson.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "render/mustache.h"

enum { OWN_CONFIG_MAX_BYTES = 64 * KIB };

/* The last of several files has the last word. */
static const char check_config[] = "global\n    tune.ssl.cachesize 1000\n";

DEFINE_CLEANUP(json_t *, json_decref);

/* The group without rights: Debian's name, else everybody else's. */
static const char *group_find(void)
{
	return getgrnam("nogroup") ? "nogroup" : "nobody";
}

static int template_compile(
	const struct haproxy_site *site, struct mustache **ret_mustache, struct err *err)
{
	cleanup_buf struct buf text = BUF_INIT(OWN_CONFIG_MAX_BYTES);
	cleanup_free char *path = xformat("%s/haproxy-agent.cfg.mustache", site->template_dir);
	int r = file_read(path, &text, err);

	if (r < 0)
		return r;
	return mustache_compile(path, buf_text(&text), text.size_bytes, ret_mustache, err);
}

static int own_config_render(const struct haproxy_site *site, struct buf *ret_text, struct err *err)
{
	static const struct mustache_dialect as_it_is;
	CLEANUP(cleanup_json_decref) json_t *view = json_pack("{s:s}", "group", group_find());
	cleanup_mustache struct mustache *mustache = NULL;
	int r = template_compile(site, &mustache, err);

	if (r < 0)
		return r;
	return mustache_render(mustache, view, &as_it_is, ret_text, err);
}

/* Only what has changed is written: the agent starts on a disk that turned read-only, too. */
static int own_config_write(const char *path, const struct buf *text, struct err *err)
{
	cleanup_buf struct buf present = BUF_INIT(OWN_CONFIG_MAX_BYTES);

	if (file_read(path, &present, NULL) == 0 && present.size_bytes == text->size_bytes &&
		memcmp(buf_text(&present), buf_text(text), text->size_bytes) == 0)
		return 0;
	return file_replace(path, buf_text(text), text->size_bytes, 0644, err);
}

int haproxy_own_config_store(const struct haproxy_site *site, struct err *err)
{
	cleanup_free char *path = haproxy_site_own_config_path(site);
	cleanup_free char *check_path = haproxy_site_check_config_path(site);
	cleanup_buf struct buf text = BUF_INIT(OWN_CONFIG_MAX_BYTES);
	int r = own_config_render(site, &text, err);

	if (r < 0)
		return err_wrap(err, r, "rendering %s", path);
	r = own_config_write(path, &text, err);
	if (r < 0)
		return r;
	return file_replace_nosync(check_path, check_config, sizeof(check_config) - 1, 0644, err);
}
