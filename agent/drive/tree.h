/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tree of files whose paths are walked folder by folder and never leave it: the config drive that
 * is read, the root that is written. No symbolic link is followed on the way, nor at the end of it.
 * Owned by main. Used by amphora-config-drive.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

enum { TREE_PATH_MAX = 511, TREE_NAME_MAX = 200 };

struct tree {
	int fd;     /* its top folder; -1: none */
	char *name; /* before paths in messages */
};

#define TREE_NONE ((struct tree){.fd = -1})

/* A path from the tree's top: "/etc/octavia/amphora-agent.conf". */
struct tree_path {
	char text[TREE_PATH_MAX + 1];
};

/*
 * Parses size_bytes bytes: absolute, of names that are neither empty nor "." nor "..", without
 * control characters. -EINVAL.
 */
int tree_path_parse(
	const char *data, size_t size_bytes, struct tree_path *ret_path, struct err *err);
/* Whether the path is the folder (a path without a "/" at its end) or lies in it. */
bool tree_path_is_in(const struct tree_path *path, const char *folder);

/* The folder at path becomes a tree; name is what messages put before its paths. */
int tree_open(const char *path, const char *name, struct tree *ret_tree, struct err *err);
void tree_deinit(struct tree *tree);

/* The paths of these are literals of the program, or the text of a struct tree_path. */

/* As file_read(): -ENOENT when there is none, -EMSGSIZE, -EINVAL when it is no regular file. */
int tree_read(const struct tree *tree, const char *path, struct buf *ret_content, struct err *err);
/* As file_replace(), with the folders that are missing, 0755, durable as well. */
int tree_write(const struct tree *tree, const char *path, const void *data, size_t size_bytes,
	mode_t mode, struct err *err);
/* Puts a symbolic link there, in place of what may be there; atomically, durably. */
int tree_link(const struct tree *tree, const char *path, const char *target, struct err *err);
/* Removes a file or link; one that is not there is fine. */
int tree_remove(const struct tree *tree, const char *path, struct err *err);
/* Opens a file or folder that is there, with open()'s flags; the caller closes it. */
int tree_open_file(
	const struct tree *tree, const char *path, int flags, int *ret_fd, struct err *err);
/* Whether there is a regular file of that name. */
bool tree_has_file(const struct tree *tree, const char *path);
