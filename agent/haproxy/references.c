/* SPDX-License-Identifier: Apache-2.0 */
#include "haproxy/references.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "haproxy/config_line.h"
#include "sys/digest.h"

enum { REFERENCE_MAX_BYTES = 16 * MIB };

/* Behind these, paths are relative to something. */
static const char *const base_keywords[] = {"ca-base", "crt-base", "key-base", "default-path"};

/* These take a folder for all the files in it. */
static const char *const folder_keywords[] = {"crt", "ca-file", "ca-verify-file", "crl-file"};

static bool is_one_of(const char *word, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (text_equal(words[i], word))
			return true;
	return false;
}

#define IS_ONE_OF(word, words) is_one_of(word, words, sizeof(words) / sizeof((words)[0]))

struct digest {
	const char *except;
	struct buf *text;
	struct err *err;
};

static int unknown(struct digest *digest, const struct haproxy_line *line, const char *word)
{
	return err_set(digest->err, -ENOTSUP,
		"line %u: which files '%s' makes HAProxy read cannot be told", line->number, word);
}

static int list_digest(struct digest *digest, const struct buf *list);

/* One word that is an absolute path, taken for what keyword says. */
static int path_digest(struct digest *digest, const struct haproxy_line *line, const char *keyword,
	const char *path)
{
	cleanup_buf struct buf content = BUF_INIT(REFERENCE_MAX_BYTES);
	char md5[MD5_HEX_SIZE + 1];
	struct stat status;

	if (strchr(path, '$'))
		return unknown(digest, line, path);
	if (text_equal(path, digest->except) || stat(path, &status) < 0)
		return 0;
	if (S_ISDIR(status.st_mode) && IS_ONE_OF(keyword, folder_keywords))
		return unknown(digest, line, path);
	if (!S_ISREG(status.st_mode))
		return 0;
	if (file_read(path, &content, NULL) < 0)
		return unknown(digest, line, path);
	digest_md5_hex(buf_text(&content), content.size_bytes, md5);
	buf_append_format(digest->text, "%s %s\n", md5, path);
	return text_equal(keyword, "crt-list") ? list_digest(digest, &content) : 0;
}

/* A crt-list: "PATH [ca-file PATH …] NAME…"; its comments and words are those of a config. */
static int list_digest(struct digest *digest, const struct buf *list)
{
	cleanup_haproxy_lines struct haproxy_lines lines;
	struct haproxy_line line;

	haproxy_lines_init(&lines, buf_text(list), list->size_bytes);
	while (haproxy_lines_next(&lines, &line)) {
		for (size_t i = 0; i < line.word_count; i++) {
			cleanup_free char *path = xstrdup(line.words[i]);
			int r;

			path[strcspn(path, "]")] = '\0';
			if (path[0] != '/' && i == 0)
				return unknown(digest, &line, path);
			if (path[0] != '/')
				continue;
			r = path_digest(digest, &line, "crt", path);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int line_digest(struct digest *digest, const struct haproxy_line *line)
{
	if (IS_ONE_OF(line->words[0], base_keywords))
		return unknown(digest, line, line->words[0]);
	for (size_t i = 1; i < line->word_count; i++) {
		const char *word = line->words[i];
		int r = 0;

		/* map(/path), lua functions … */
		if (strstr(word, "(/") || (word[0] == '$' && strchr(word, '/')))
			r = unknown(digest, line, word);
		else if (word[0] == '/')
			r = path_digest(digest, line, line->words[i - 1], word);
		if (r < 0)
			return r;
	}
	return 0;
}

int haproxy_references_digest(const char *text, size_t size_bytes, const char *except,
	struct buf *ret_digest, struct err *err)
{
	struct digest digest = {.except = except, .text = ret_digest, .err = err};
	cleanup_haproxy_lines struct haproxy_lines lines;
	struct haproxy_line line;

	haproxy_lines_init(&lines, text, size_bytes);
	while (haproxy_lines_next(&lines, &line)) {
		int r = line_digest(&digest, &line);

		if (r < 0)
			return r;
	}
	if (buf_error(ret_digest))
		return err_set(err, -ENOTSUP, "the config names too many files");
	return 0;
}
