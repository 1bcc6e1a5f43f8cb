/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Versions of installed programs, as GET info and GET details report them (amphora-api.md,
 * "Endpoints"): from dpkg's database, read in a stream and only when it has changed; what was found
 * is remembered. Thread-safe. Used by the agent.
 */
#pragma once

#include <pthread.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

enum { PACKAGE_NAME_MAX = 64, PACKAGES_REMEMBERED_MAX = 8 };

struct package_version {
	char text[128]; /* "1:2.2.7-1+b2"; "": not installed */
};

/* The version with its epoch; "" where the package or dpkg is missing. */
void package_version(const char *name, struct package_version *ret_version);

/*
 * HAProxy's package version without the epoch: the controller splits it at dots and takes two
 * numbers. Where there is no such package, what "haproxy_cmd -v" says, asked again when that file
 * has changed; "" (with a line in the log) when it does not answer within a second.
 */
void package_haproxy_version(const char *haproxy_cmd, struct package_version *ret_version);

/* How a file is told from its next version: dpkg replaces its database by rename(). */
struct package_file_stamp {
	dev_t device;
	ino_t inode;
	off_t size_bytes;
	struct timespec modified;
};

/* One status database, and what is known of it. The calls above use the machine's. */
struct package_database {
	const char *status_path;
	pthread_mutex_t lock;
	struct package_file_stamp stamp; /* of the file that the memory is about */
	size_t count;
	struct {
		char name[PACKAGE_NAME_MAX + 1];
		struct package_version version;
	} memory[PACKAGES_REMEMBERED_MAX];
};

#define PACKAGE_DATABASE_INIT(path)                                                                \
	((struct package_database){.status_path = (path), .lock = PTHREAD_MUTEX_INITIALIZER})

/* As package_version() and package_haproxy_version(). */
void package_database_find(
	struct package_database *database, const char *name, struct package_version *ret_version);
void package_database_find_haproxy(struct package_database *database, const char *haproxy_cmd,
	struct package_version *ret_version);
