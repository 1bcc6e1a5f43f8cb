/* SPDX-License-Identifier: Apache-2.0 */
#include "haproxy/stored_model.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "render/haproxy_cfg.h"
#include "sys/http_server.h"

DEFINE_CLEANUP(DIR *, closedir);

static const char file_prefix[] = "model-";
static const char file_suffix[] = ".json";

static char *model_path(const struct haproxy_site *site, const struct id *id, const char *etag)
{
	cleanup_free char *folder = haproxy_site_path(site, id, HAPROXY_FILE_FOLDER);

	return xformat("%s/%s%s%s", folder, file_prefix, etag, file_suffix);
}

static bool is_etag(const char *text)
{
	return strspn(text, "0123456789abcdef") == MD5_HEX_SIZE;
}

/* The ETag that an installed config names. 0, -ENOENT or -ENODATA as in the header. */
static int config_etag(const struct haproxy_site *site, const struct id *id,
	char ret_etag[static MD5_HEX_SIZE + 1], struct err *err)
{
	cleanup_buf struct buf config = BUF_INIT(HTTP_BODY_MAX_BYTES);
	const char *line;
	int r = haproxy_instance_read(site, id, &config, err);

	if (r < 0)
		return r;
	line = strstr(buf_text(&config), RENDER_MODEL_LINE);
	if (!line || !is_etag(line + strlen(RENDER_MODEL_LINE)))
		return err_set(err, -ENODATA,
			"load balancer %s was uploaded as a haproxy.cfg; it has no model until "
			"the next PUT of one",
			id->text);
	memcpy(ret_etag, line + strlen(RENDER_MODEL_LINE), MD5_HEX_SIZE);
	ret_etag[MD5_HEX_SIZE] = '\0';
	return 0;
}

int haproxy_stored_model_store(struct haproxy_instance *instance, const char *etag,
	const char *text, size_t size_bytes, struct err *err)
{
	cleanup_free char *folder =
		haproxy_site_path(instance->site, &instance->id, HAPROXY_FILE_FOLDER);
	cleanup_free char *path = model_path(instance->site, &instance->id, etag);
	int r = directory_make(folder, 0755, err);

	if (r < 0)
		return r;
	return file_replace(path, text, size_bytes, 0600, err);
}

int haproxy_stored_model_read(const struct haproxy_site *site, const struct id *id,
	struct buf *ret_text, char ret_etag[static MD5_HEX_SIZE + 1], struct err *err)
{
	char etag[MD5_HEX_SIZE + 1];
	cleanup_free char *path = NULL;
	int r = config_etag(site, id, etag, err);

	if (r < 0)
		return r;
	path = model_path(site, id, etag);
	r = file_read(path, ret_text, err);
	if (r == -ENOENT)
		/* A config that was read here and uploaded elsewhere names a model we never had. */
		return err_set(
			err, -ENODATA, "load balancer %s: its model is not stored here", id->text);
	if (r == 0)
		memcpy(ret_etag, etag, sizeof(etag));
	return r;
}

void haproxy_stored_model_prune(struct haproxy_instance *instance)
{
	cleanup_free char *folder =
		haproxy_site_path(instance->site, &instance->id, HAPROXY_FILE_FOLDER);
	CLEANUP(cleanup_closedir) DIR *listing = opendir(folder);
	char in_force[MD5_HEX_SIZE + 1] = "";
	struct dirent *entry;

	config_etag(instance->site, &instance->id, in_force, NULL);
	while (listing && (entry = readdir(listing))) {
		const char *etag = entry->d_name + strlen(file_prefix);
		cleanup_free char *path = NULL;
		struct err err = ERR_NONE;

		if (!text_starts_with(entry->d_name, file_prefix) ||
			!text_ends_with(entry->d_name, file_suffix) ||
			(in_force[0] && text_starts_with(etag, in_force)))
			continue;
		path = xformat("%s/%s", folder, entry->d_name);
		if (file_remove(path, &err) < 0)
			log_warning("load balancer %s: %s", instance->id.text, err.text);
	}
}
