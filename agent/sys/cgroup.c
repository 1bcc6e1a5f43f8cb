/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/cgroup.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

/* What the two versions call the same thing. */
struct cgroup_layout {
	const char *mount;
	const char *limit;
	const char *used;
	const char *cache; /* lines of memory.stat */
	const char *shared;
	const char *slab; /* NULL: not told */
};

static const struct cgroup_layout version_1 = {
	.mount = "/sys/fs/cgroup/memory",
	.limit = "memory.limit_in_bytes",
	.used = "memory.usage_in_bytes",
	.cache = "total_cache",
	.shared = "total_shmem",
};

static const struct cgroup_layout version_2 = {
	.mount = "/sys/fs/cgroup",
	.limit = "memory.max",
	.used = "memory.current",
	.cache = "file",
	.shared = "shmem",
	.slab = "slab",
};

/* Version 1 writes "no limit" as the largest multiple of a page: nothing real is above this. */
static const uint64_t LIMIT_MAX_BYTES = UINT64_C(1) << 60;

/* group: path below the mount, "/a/b"; "" is the root of what we see. */
static int group_read(const char *root, const struct cgroup_layout *layout, const char *group,
	const char *file, struct buf *ret_text, struct err *err)
{
	cleanup_free char *path = xformat("%s%s%s/%s", root, layout->mount, group, file);

	return file_read(path, ret_text, err);
}

/* A file that holds one number. -ERANGE: it says "max", or a number that means no limit. */
static int group_read_number(const char *root, const struct cgroup_layout *layout,
	const char *group, const char *file, uint64_t *ret_bytes, struct err *err)
{
	cleanup_buf struct buf text = BUF_INIT(KIB);
	size_t size_bytes;
	const char *word;
	int r = group_read(root, layout, group, file, &text, err);

	if (r < 0)
		return r;
	word = text_trim(buf_text(&text), text.size_bytes, &size_bytes);
	if (size_bytes == strlen("max") && memcmp(word, "max", size_bytes) == 0)
		return -ERANGE;
	r = text_parse_u64_span(word, size_bytes, 0, LIMIT_MAX_BYTES, ret_bytes);
	if (r == -EINVAL)
		return err_set(err, -EBADMSG, "%s of control group %s: no number", file, group);
	return r;
}

/* The number behind "NAME " at the start of a line; 0 when there is none. */
static uint64_t stat_find(const char *text, const char *name)
{
	size_t name_size = strlen(name);
	uint64_t value = 0;

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, name_size) != 0 || line[name_size] != ' ')
			continue;
		line += name_size + 1;
		text_parse_u64_span(line, strcspn(line, "\n"), 0, UINT64_MAX, &value);
		break;
	}
	return value;
}

static int group_usage_read(const char *root, const struct cgroup_layout *layout, const char *group,
	struct cgroup_memory *memory, struct err *err)
{
	cleanup_buf struct buf stat = BUF_INIT(64 * KIB);
	int r;

	r = group_read_number(root, layout, group, layout->used, &memory->used_bytes, err);
	if (r < 0)
		return r;
	r = group_read(root, layout, group, "memory.stat", &stat, err);
	if (r < 0)
		return r;
	memory->cache_bytes = stat_find(buf_text(&stat), layout->cache);
	memory->shared_bytes = stat_find(buf_text(&stat), layout->shared);
	memory->slab_bytes = layout->slab ? stat_find(buf_text(&stat), layout->slab) : 0;
	return 0;
}

static bool has_word(const char *list, const char *word)
{
	while (*list) {
		size_t length = strcspn(list, ",");

		if (length == strlen(word) && memcmp(list, word, length) == 0)
			return true;
		list += length + (list[length] == ',');
	}
	return false;
}

/*
 * Reads /proc/PID/cgroup, lines of "ID:CONTROLLERS:PATH" (text is cut up on the way): the group
 * that limits the process's memory, and in which layout. Version 1 wins where both are there: then
 * it is the one that holds the memory controller.
 */
static const char *group_find(char *text, const struct cgroup_layout **ret_layout)
{
	const char *group = "";

	*ret_layout = &version_2;
	for (char *line = text, *next; line; line = next) {
		char *controllers = strchr(line, ':');
		char *path = controllers ? strchr(controllers + 1, ':') : NULL;

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (!path || (next && path >= next))
			continue;
		*path++ = '\0';
		if (has_word(controllers + 1, "memory")) {
			*ret_layout = &version_1;
			return path;
		}
		if (text_starts_with(line, "0:"))
			group = path;
	}
	return group;
}

static bool is_booted_with_systemd(const char *root)
{
	cleanup_free char *path = xformat("%s/run/systemd/system", root);

	return file_exists(path);
}

/* The calling process's group, as this file names groups; the caller frees it. */
static int group_of_caller(const char *root, const struct cgroup_layout **ret_layout,
	char **ret_group, struct err *err)
{
	cleanup_free char *path = xformat("%s/proc/self/cgroup", root);
	cleanup_buf struct buf text = BUF_INIT(64 * KIB);
	cleanup_free char *copy = NULL;
	const char *group;
	int r;

	r = file_read(path, &text, err);
	if (r < 0)
		return r;
	copy = buf_take_text(&text);
	group = group_find(copy, ret_layout);
	/* "/../x" lies outside of what we see; its nearest visible relative is the root. */
	if (text_equal(group, "/") || strstr(group, "/..") || is_booted_with_systemd(root))
		group = "";
	*ret_group = xstrdup(group);
	return 0;
}

int cgroup_memory_read(const char *root, struct cgroup_memory *ret_memory, struct err *err)
{
	struct cgroup_memory memory = {.limit_bytes = UINT64_MAX};
	const struct cgroup_layout *layout = NULL;
	cleanup_free char *group = NULL;
	cleanup_free char *tightest = NULL;
	char *parent_end;
	int r;

	r = group_of_caller(root, &layout, &group, err);
	if (r < 0)
		return r;
	do {
		uint64_t limit_bytes;

		r = group_read_number(root, layout, group, layout->limit, &limit_bytes, err);
		if (r < 0 && r != -ENOENT && r != -ERANGE)
			return r;
		if (r == 0 && limit_bytes < memory.limit_bytes) {
			memory.limit_bytes = limit_bytes;
			free(tightest);
			tightest = xstrdup(group);
		}
		parent_end = strrchr(group, '/');
		if (parent_end)
			*parent_end = '\0';
	} while (parent_end);
	if (!tightest)
		return err_set(err, -ENOENT, "no control group limits memory");
	r = group_usage_read(root, layout, tightest, &memory, err);
	if (r < 0)
		return r;
	*ret_memory = memory;
	return 0;
}
