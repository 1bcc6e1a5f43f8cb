/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the product's own files are, installed (PREFIX/bin, PREFIX/share/amphora-agent) or in the
 * build folder of the source tree: found from where the running program itself lies.
 * Used by every program that starts another or renders. Texts are the caller's to free.
 */
#pragma once

#include "base/err.h"

/* The program of that name in our own folder, or just the name, to be looked up in PATH. */
char *installation_find_program(const char *name);
/* The folder of the templates: the one configured unless "", else ours. -ENOENT with where it
 * looked. */
int installation_find_templates(const char *configured, char **ret_folder, struct err *err);
