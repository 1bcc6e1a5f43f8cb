/* SPDX-License-Identifier: Apache-2.0 */
#include "drive/instance.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/text.h"
#include "drive/networkd.h"
#include "drive/ssh_key.h"

/* The uuid of the instance that was applied, as one line. */
#define APPLIED_FILE         "/var/lib/amphora-config-drive/instance"
#define HOST_NAME_FILE       "/etc/hostname"
#define HOSTS_FILE           "/etc/hosts"
#define LOCALTIME_LINK       "/etc/localtime"
#define AUTHORIZED_KEYS_FILE "/root/.ssh/authorized_keys"
#define SSHD_FILE            "/usr/sbin/sshd"
#define RANDOM_DEVICE        "/dev/urandom"

enum {
	/* Root's only: among them are the server's key and the heartbeat's; cloud-init's 0660 lets
	 * nobody else read them either. */
	DRIVE_FILE_MODE = 0600,
	HOSTS_SIZE_MAX = 64 * KIB,
	AUTHORIZED_KEYS_SIZE_MAX = 512 * KIB,
};

int instance_is_applied(const struct tree *root, const struct instance *instance,
	bool *ret_is_applied, struct err *err)
{
	cleanup_buf struct buf text = BUF_INIT(ID_SIZE_MAX + 1);
	const char *uuid = instance->metadata.uuid.text;
	int r = tree_read(root, APPLIED_FILE, &text, err);
	size_t size_bytes;
	const char *applied;

	/* Unreadable is not absent: what was rotated since must not be taken back on a doubt. */
	if (r < 0 && r != -ENOENT)
		return r;
	applied = text_trim(buf_text(&text), text.size_bytes, &size_bytes);
	*ret_is_applied = size_bytes == strlen(uuid) && memcmp(applied, uuid, size_bytes) == 0;
	return 0;
}

static int files_write(const struct tree *root, const struct drive_files *files, struct err *err)
{
	for (size_t i = 0; i < files->count; i++) {
		const struct drive_file *file = &files->items[i];
		int r = tree_write(root, file->path.text, file->content, file->size_bytes,
			DRIVE_FILE_MODE, err);

		if (r < 0)
			return r;
		log_info("wrote %s%s, %zu bytes", root->name, file->path.text, file->size_bytes);
	}
	return 0;
}

static int hosts_write(const struct tree *root, const struct host_name *name, struct err *err)
{
	cleanup_buf struct buf old = BUF_INIT(HOSTS_SIZE_MAX);
	cleanup_buf struct buf hosts = BUF_INIT(2 * HOSTS_SIZE_MAX);
	int r = tree_read(root, HOSTS_FILE, &old, err);

	if (r < 0 && r != -ENOENT)
		return r;
	host_name_format_hosts(name, &old, &hosts);
	return tree_write(root, HOSTS_FILE, buf_text(&hosts), hosts.size_bytes, 0644, err);
}

static int host_name_write(
	const struct tree *root, const struct host_name *name, bool is_running, struct err *err)
{
	cleanup_free char *line = xformat("%s\n", name->label);
	int r = tree_write(root, HOST_NAME_FILE, line, strlen(line), 0644, err);

	if (r == 0)
		r = hosts_write(root, name, err);
	if (r < 0)
		return r;
	if (is_running && sethostname(name->label, strlen(name->label)) < 0)
		return err_set_errno(err, -errno, "setting the host name to %s", name->label);
	log_info("host name %s", name->label);
	return 0;
}

static int public_keys_write(
	const struct tree *root, const struct metadata *metadata, struct err *err)
{
	cleanup_buf struct buf keys = BUF_INIT(AUTHORIZED_KEYS_SIZE_MAX);
	int r;

	if (metadata->public_key_count == 0)
		return 0;
	if (!tree_has_file(root, SSHD_FILE)) {
		log_info("no sshd in this image: SSH keys are left out");
		return 0;
	}
	r = tree_read(root, AUTHORIZED_KEYS_FILE, &keys, err);
	if (r < 0 && r != -ENOENT)
		return r;
	for (size_t i = 0; i < metadata->public_key_count; i++)
		ssh_key_authorize(metadata->public_keys[i], &keys);
	if (buf_error(&keys))
		return err_set(
			err, buf_error(&keys), "%s%s: too large", root->name, AUTHORIZED_KEYS_FILE);
	r = tree_write(root, AUTHORIZED_KEYS_FILE, buf_text(&keys), keys.size_bytes, 0600, err);
	if (r == 0)
		log_info("SSH keys of root: %zu", metadata->public_key_count);
	return r;
}

/* Without a zone's file the machine stays with UTC: late logs are no reason not to serve. */
static int timezone_link(const struct tree *root, const char *timezone, struct err *err)
{
	cleanup_free char *zone = xformat("/usr/share/zoneinfo/%s", timezone);
	cleanup_free char *target = xformat("..%s", zone);
	int r;

	if (timezone[0] == '\0')
		return 0;
	if (!tree_has_file(root, zone)) {
		if (!text_equal(timezone, "UTC"))
			log_warning(
				"time zone %s is not in this image: it stays as it is", timezone);
		return 0;
	}
	r = tree_link(root, LOCALTIME_LINK, target, err);
	if (r == 0)
		log_info("time zone %s", timezone);
	return r;
}

/*
 * The kernel mixes in what it is given, whatever its form, so base64 needs no decoding; and a
 * machine that cannot be fed it has other sources.
 */
static void random_seed_feed(const struct tree *root, const char *seed)
{
	cleanup_close int fd = -1;
	struct err problem = ERR_NONE;

	if (!seed)
		return;
	if (tree_open_file(root, RANDOM_DEVICE, O_WRONLY, &fd, &problem) < 0)
		log_warning("random seed is left out: %s", problem.text);
	else if (write(fd, seed, strlen(seed)) < 0)
		log_warning("random seed is left out: writing it: %s", strerrordesc_np(errno));
	else
		log_info("random seed given to the kernel");
}

static int applied_save(const struct tree *root, const struct id *uuid, struct err *err)
{
	cleanup_free char *line = xformat("%s\n", uuid->text);

	return tree_write(root, APPLIED_FILE, line, strlen(line), 0644, err);
}

int instance_apply(
	const struct tree *root, const struct instance *instance, bool is_running, struct err *err)
{
	const struct metadata *metadata = &instance->metadata;
	int r;

	random_seed_feed(root, metadata->random_seed);
	r = files_write(root, &instance->injected, err);
	if (r == 0)
		r = files_write(root, &instance->user_data.files, err);
	if (r == 0 && metadata->host_name)
		r = host_name_write(root, metadata->host_name, is_running, err);
	if (r == 0)
		r = networkd_write(root, &instance->network, err);
	if (r == 0)
		r = public_keys_write(root, metadata, err);
	if (r == 0)
		r = timezone_link(root, instance->user_data.timezone, err);
	return r < 0 ? r : applied_save(root, &metadata->uuid, err);
}
