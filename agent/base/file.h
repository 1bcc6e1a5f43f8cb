/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole files: read with a limit, replaced atomically, removed. State is files, so this is where
 * "nothing acknowledged is lost" is kept: a replaced file is on disk (fsync of file and folder)
 * before file_replace() returns, and a crash leaves the old or the new one, never a part.
 * Used by every program.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/* What the name of a file's temporary has more than the file's. */
enum { FILE_TEMPORARY_EXTRA = 12 };

/*
 * Appends the file's bytes to ret_content (its maximum is the limit). -ENOENT when there is none,
 * -EMSGSIZE when it is larger than the limit, -EINVAL when it is no regular file.
 */
int file_read(const char *path, struct buf *ret_content, struct err *err);

/*
 * Replaces path by size_bytes bytes of data, with mode whatever the umask. The temporary lies
 * beside it (".NAME.tmp-XXXXXX", FILE_TEMPORARY_EXTRA bytes more), so the folder must exist.
 */
int file_replace(
	const char *path, const void *data, size_t size_bytes, mode_t mode, struct err *err);
/* The same without waiting for the disk, for what may be lost in a power cut but never torn. */
int file_replace_nosync(
	const char *path, const void *data, size_t size_bytes, mode_t mode, struct err *err);
/* file_replace() unless the file has these bytes and this mode already. */
int file_ensure(
	const char *path, const void *data, size_t size_bytes, mode_t mode, struct err *err);
/* rename() made durable: fsync of the folder of to. Both lie in the same folder. */
int file_rename(const char *from, const char *to, struct err *err);

/* Removes a file, durably; one that is not there is fine. */
int file_remove(const char *path, struct err *err);
/* Removes a folder with all it holds, durably, never following links; one that is not there is
 * fine. */
int directory_remove(const char *path, struct err *err);
/* Makes the folder and its missing parents; one that is there keeps its mode. */
int directory_make(const char *path, mode_t mode, struct err *err);

/* Removes the temporaries of writers that were killed; nobody may be writing there. */
void directory_sweep(const char *path);

bool file_exists(const char *path);
