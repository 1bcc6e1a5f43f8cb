/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The main of a fuzz target's ordinary test: feeds every file of the folders given as arguments to
 * LLVMFuzzerTestOneInput(), in the order of their names. A fault shows as a crash or as a finding
 * of the sanitizers. Exit status 2 when there is nothing to feed, so that a lost corpus is noticed.
 *
 *	replay FOLDER...
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"

enum { INPUT_MAX_BYTES = 64 * MIB };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* The input lies in memory of exactly its size: one byte read behind it is a finding. */
static int file_feed(const char *path)
{
	cleanup_buf struct buf content = BUF_INIT(INPUT_MAX_BYTES);
	cleanup_free uint8_t *exact = NULL;
	struct err err = ERR_NONE;

	if (file_read(path, &content, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return -1;
	}
	exact = xcalloc(content.size_bytes ? content.size_bytes : 1, 1);
	if (content.size_bytes)
		memcpy(exact, content.data, content.size_bytes);
	LLVMFuzzerTestOneInput(exact, content.size_bytes);
	return 0;
}

/* The number of files fed, or -1. */
static int folder_feed(const char *folder)
{
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, is_visible, alphasort);
	int failed = 0;

	if (count < 0) {
		perror(folder);
		return -1;
	}
	for (int i = 0; i < count; i++) {
		cleanup_free char *path = xformat("%s/%s", folder, entries[i]->d_name);

		if (file_feed(path) < 0)
			failed = -1;
		free(entries[i]);
	}
	free(entries);
	return failed < 0 ? -1 : count;
}

int main(int argc, char **argv)
{
	int total = 0;

	for (int i = 1; i < argc; i++) {
		int fed = folder_feed(argv[i]);

		if (fed <= 0) {
			fprintf(stderr, "%s: nothing to feed\n", argv[i]);
			return 2;
		}
		total += fed;
	}
	printf("%s: %d inputs\n", argv[0], total);
	return total > 0 ? 0 : 2;
}
