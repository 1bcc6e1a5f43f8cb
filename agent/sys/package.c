/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/package.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "sys/process.h"

DEFINE_CLEANUP(FILE *, fclose);

enum { LINE_PART_SIZE = 1024, ASK_TIMEOUT_MS = 1000, ANSWER_MAX_BYTES = 4 * KIB };

static struct package_database debian = {
	.status_path = "/var/lib/dpkg/status",
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

/* The answer of one haproxy_cmd, as long as it is the same file. */
static struct {
	pthread_mutex_t lock;
	char command[PATH_MAX];
	struct package_file_stamp stamp;
	struct package_version version;
} asked = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct package_file_stamp stamp_of(const struct stat *status)
{
	return (struct package_file_stamp){
		.device = status->st_dev,
		.inode = status->st_ino,
		.size_bytes = status->st_size,
		.modified = status->st_mtim,
	};
}

static bool stamp_equal(const struct package_file_stamp *a, const struct package_file_stamp *b)
{
	return a->device == b->device && a->inode == b->inode && a->size_bytes == b->size_bytes &&
	       a->modified.tv_sec == b->modified.tv_sec &&
	       a->modified.tv_nsec == b->modified.tv_nsec;
}

static void version_set(struct package_version *version, const char *text, size_t size_bytes)
{
	if (size_bytes >= sizeof(version->text))
		size_bytes = 0;
	memcpy(version->text, text, size_bytes);
	version->text[size_bytes] = '\0';
}

/* The value of the line "NAME: value" without blanks around it; NULL for any other line. */
static const char *field_value(const char *line, const char *name, size_t *ret_size_bytes)
{
	size_t name_size = strlen(name);

	if (strncmp(line, name, name_size) != 0 || line[name_size] != ':')
		return NULL;
	line += name_size + 1;
	return text_trim(line, strlen(line), ret_size_bytes);
}

/* "WANT ERROR STATE" (dpkg-query(1)): whether in that state the program's files are there. */
static bool is_installed_state(const char *status, size_t size_bytes)
{
	static const char *const states[] = {
		"installed", "unpacked", "half-configured", "triggers-awaited", "triggers-pending"};
	const char *blank = memrchr(status, ' ', size_bytes);
	const char *state = blank ? blank + 1 : status;
	size_t state_size = size_bytes - (size_t)(state - status);

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (strlen(states[i]) == state_size && memcmp(states[i], state, state_size) == 0)
			return true;
	return false;
}

/*
 * Paragraphs with an empty line behind each, "Package" before the rest (deb-control(5)). A line
 * that is longer than the part comes in several; the later ones are passed over.
 */
static void status_search(FILE *file, const char *name, struct package_version *ret_version)
{
	char part[LINE_PART_SIZE];
	struct package_version version = {0};
	bool is_line_start = true;
	bool is_sought = false;
	bool is_installed = false;

	while (fgets(part, sizeof(part), file)) {
		bool is_line = is_line_start;
		const char *value;
		size_t size_bytes;

		is_line_start = strchr(part, '\n') != NULL;
		if (!is_line)
			continue;
		if (part[0] == '\n' && is_sought && is_installed)
			break;
		value = field_value(part, "Package", &size_bytes);
		if (value) {
			is_sought =
				size_bytes == strlen(name) && memcmp(value, name, size_bytes) == 0;
			is_installed = false;
		}
		if (!is_sought)
			continue;
		value = field_value(part, "Status", &size_bytes);
		if (value)
			is_installed = is_installed_state(value, size_bytes);
		value = field_value(part, "Version", &size_bytes);
		if (value)
			version_set(&version, value, size_bytes);
	}
	if (is_sought && is_installed)
		*ret_version = version;
}

static FILE *database_open(const char *path, struct package_file_stamp *ret_stamp)
{
	FILE *file = fopen(path, "re");
	struct stat status;

	if (!file)
		return NULL;
	if (fstat(fileno(file), &status) < 0) {
		fclose(file);
		return NULL;
	}
	*ret_stamp = stamp_of(&status);
	return file;
}

static bool memory_find(const struct package_database *database, const char *name,
	struct package_version *ret_version)
{
	for (size_t i = 0; i < database->count; i++)
		if (text_equal(database->memory[i].name, name)) {
			*ret_version = database->memory[i].version;
			return true;
		}
	return false;
}

static void memory_add(
	struct package_database *database, const char *name, const struct package_version *version)
{
	if (database->count == PACKAGES_REMEMBERED_MAX || strlen(name) > PACKAGE_NAME_MAX)
		return;
	memcpy(database->memory[database->count].name, name, strlen(name) + 1);
	database->memory[database->count++].version = *version;
}

/* The lock is held. */
static void database_find(
	struct package_database *database, const char *name, struct package_version *ret_version)
{
	struct package_file_stamp stamp;
	CLEANUP(cleanup_fclose) FILE *file = database_open(database->status_path, &stamp);

	if (!file)
		return;
	if (!stamp_equal(&stamp, &database->stamp)) {
		database->count = 0;
		database->stamp = stamp;
	}
	if (memory_find(database, name, ret_version))
		return;
	status_search(file, name, ret_version);
	memory_add(database, name, ret_version);
}

void package_database_find(
	struct package_database *database, const char *name, struct package_version *ret_version)
{
	ret_version->text[0] = '\0';
	pthread_mutex_lock(&database->lock);
	database_find(database, name, ret_version);
	pthread_mutex_unlock(&database->lock);
}

void package_version(const char *name, struct package_version *ret_version)
{
	package_database_find(&debian, name, ret_version);
}

/* The third word of "HAProxy version 2.6.12-1+deb12u4 2026/10/17 - …" ("HA-Proxy" before 2.4). */
static int version_line_parse(const char *text, struct package_version *ret_version)
{
	const char *word = text;
	size_t size_bytes;

	if (!text_starts_with(text, "HAProxy version ") &&
		!text_starts_with(text, "HA-Proxy version "))
		return -EBADMSG;
	word += strcspn(word, " ") + strlen(" version ");
	size_bytes = strcspn(word, " \n");
	version_set(ret_version, word, size_bytes);
	return ret_version->text[0] ? 0 : -EBADMSG;
}

static int haproxy_ask(const char *haproxy_cmd, struct package_version *ret_version)
{
	const char *const argv[] = {haproxy_cmd, "-v", NULL};
	const struct process_spec spec = {.argv = argv};
	cleanup_buf struct buf answer = BUF_INIT(ANSWER_MAX_BYTES);
	struct err err = ERR_NONE;
	int status = 0;
	int r = process_run(&spec, ASK_TIMEOUT_MS, &answer, &status, &err);

	if (r < 0) {
		log_warning("asking %s for its version: %s", haproxy_cmd, err.text);
		return r;
	}
	r = version_line_parse(buf_text(&answer), ret_version);
	if (r < 0)
		log_warning("%s -v (exit status %d) does not say a version", haproxy_cmd, status);
	return r;
}

/* The lock is held. A program that is looked up in PATH has no stamp: it is asked once. */
static void asked_find(const char *haproxy_cmd, struct package_version *ret_version)
{
	struct package_file_stamp stamp = {0};
	struct stat status;

	if (strchr(haproxy_cmd, '/') && stat(haproxy_cmd, &status) == 0)
		stamp = stamp_of(&status);
	if (text_equal(asked.command, haproxy_cmd) && stamp_equal(&stamp, &asked.stamp)) {
		*ret_version = asked.version;
		return;
	}
	asked.command[0] = '\0';
	if (haproxy_ask(haproxy_cmd, ret_version) < 0 ||
		strlen(haproxy_cmd) >= sizeof(asked.command))
		return;
	memcpy(asked.command, haproxy_cmd, strlen(haproxy_cmd) + 1);
	asked.stamp = stamp;
	asked.version = *ret_version;
}

void package_database_find_haproxy(struct package_database *database, const char *haproxy_cmd,
	struct package_version *ret_version)
{
	const char *colon;

	package_database_find(database, "haproxy", ret_version);
	colon = strchr(ret_version->text, ':');
	if (colon)
		memmove(ret_version->text, colon + 1, strlen(colon + 1) + 1);
	if (ret_version->text[0])
		return;
	pthread_mutex_lock(&asked.lock);
	asked_find(haproxy_cmd, ret_version);
	pthread_mutex_unlock(&asked.lock);
}

void package_haproxy_version(const char *haproxy_cmd, struct package_version *ret_version)
{
	package_database_find_haproxy(&debian, haproxy_cmd, ret_version);
}
