/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of the test's own, for cmocka's setup and teardown. */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/file.h"

static char temporary_folder[64];

static inline int temporary_folder_setup(void **state)
{
	(void)state;
	snprintf(temporary_folder, sizeof(temporary_folder), "/tmp/unit-test.XXXXXX");
	return mkdtemp(temporary_folder) ? 0 : -1;
}

static inline int temporary_folder_teardown(void **state)
{
	(void)state;
	return directory_remove(temporary_folder, NULL);
}

/* The caller's to free. */
static inline char *in_temporary_folder(const char *name)
{
	return xformat("%s/%s", temporary_folder, name);
}

static inline void temporary_file(const char *name, const char *text)
{
	char *path = in_temporary_folder(name);

	if (file_replace(path, text, strlen(text), 0644, NULL) < 0)
		abort();
	free(path);
}

#define with_temporary_folder(test)                                                                \
	cmocka_unit_test_setup_teardown(test, temporary_folder_setup, temporary_folder_teardown)
