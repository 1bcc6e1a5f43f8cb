/* SPDX-License-Identifier: Apache-2.0 */
#include "haproxy/stored_model.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"

DEFINE_CLEANUP(DIR *, closedir);

static const char file_prefix[] = "model-";
static const char file_suffix[] = ".json";

struct config_digest {
	char text[MD5_HEX_SIZE + 1];
};

static char *model_path(
	const struct haproxy_site *site, const struct id *id, const struct config_digest *config)
{
	cleanup_free char *folder = haproxy_site_path(site, id, HAPROXY_FILE_FOLDER);

	return xformat("%s/%s%s%s", folder, file_prefix, config->text, file_suffix);
}

static struct config_digest digest_of(const struct buf *config)
{
	struct config_digest digest;

	digest_md5_hex(buf_text(config), config->size_bytes, digest.text);
	return digest;
}

/* Of the installed config. -ENOENT: no such load balancer. */
static int installed_digest(const struct haproxy_site *site, const struct id *id,
	struct config_digest *ret_digest, struct err *err)
{
	cleanup_buf struct buf config = BUF_INIT(HAPROXY_CONFIG_MAX_BYTES);
	int r = haproxy_instance_read(site, id, &config, err);

	if (r == 0)
		*ret_digest = digest_of(&config);
	return r;
}

int haproxy_stored_model_store(struct haproxy_instance *instance, const struct buf *config,
	const char *text, size_t size_bytes, struct err *err)
{
	const struct config_digest digest = digest_of(config);
	cleanup_free char *folder =
		haproxy_site_path(instance->site, &instance->id, HAPROXY_FILE_FOLDER);
	cleanup_free char *path = model_path(instance->site, &instance->id, &digest);
	int r = directory_make(folder, 0755, err);

	if (r < 0)
		return r;
	return file_replace(path, text, size_bytes, 0600, err);
}

/* The model to a config with that digest. -ENOENT: there is none. */
static int model_read(const struct haproxy_site *site, const struct id *id,
	const struct config_digest *config, struct buf *ret_text, struct err *err)
{
	cleanup_free char *path = model_path(site, id, config);

	return file_read(path, ret_text, err);
}

int haproxy_stored_model_read(const struct haproxy_site *site, const struct id *id,
	struct buf *ret_text, char ret_etag[static MD5_HEX_SIZE + 1], struct err *err)
{
	struct config_digest installed;
	struct config_digest tried;
	int r = installed_digest(site, id, &installed, err);

	/* No lock is held: a config that is replaced meanwhile takes its model along. */
	do {
		if (r < 0)
			return r;
		tried = installed;
		r = model_read(site, id, &tried, ret_text, err);
		if (r == 0)
			digest_md5_hex(buf_text(ret_text), ret_text->size_bytes, ret_etag);
		if (r != -ENOENT)
			return r;
		r = installed_digest(site, id, &installed, err);
	} while (r < 0 || !text_equal(tried.text, installed.text));
	return err_set(err, -ENODATA,
		"load balancer %s was uploaded as a haproxy.cfg; it has no model until the next "
		"PUT of one",
		id->text);
}

/* All models but the one in the file of that name. */
static void models_remove(const struct haproxy_instance *instance, const char *kept)
{
	cleanup_free char *folder =
		haproxy_site_path(instance->site, &instance->id, HAPROXY_FILE_FOLDER);
	CLEANUP(cleanup_closedir) DIR *listing = opendir(folder);
	struct dirent *entry;

	while (listing && (entry = readdir(listing))) {
		cleanup_free char *path = NULL;
		struct err err = ERR_NONE;

		if (!text_starts_with(entry->d_name, file_prefix) ||
			!text_ends_with(entry->d_name, file_suffix) ||
			text_equal(entry->d_name, kept))
			continue;
		path = xformat("%s/%s", folder, entry->d_name);
		if (file_remove(path, &err) < 0)
			log_warning("load balancer %s: %s", instance->id.text, err.text);
	}
}

void haproxy_stored_model_prune(struct haproxy_instance *instance)
{
	struct config_digest digest = {""};
	cleanup_free char *in_force = NULL;

	installed_digest(instance->site, &instance->id, &digest, NULL);
	in_force = xformat("%s%s%s", file_prefix, digest.text, file_suffix);
	models_remove(instance, in_force);
}

void haproxy_stored_model_drop(struct haproxy_instance *instance)
{
	models_remove(instance, "");
}
