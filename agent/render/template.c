/* SPDX-License-Identifier: Apache-2.0 */
#include "render/template.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"
#include "render/mustache.h"

enum { TEMPLATE_SIZE_MAX = 1 * MIB, PARTIALS_MAX = 32 };

/* What one rendering has read so far; the first is the template itself. */
struct template_set {
	const char *folder;
	char *names[PARTIALS_MAX];
	struct mustache *compiled[PARTIALS_MAX];
	size_t count;
};

static void template_set_deinit(struct template_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		free(set->names[i]);
		mustache_free(set->compiled[i]);
	}
}

/* A template's name becomes a file's: letters, digits, '_', '-' and single dots inside. */
static bool is_template_name(const char *name)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";

	return name[0] != '.' && name[strspn(name, allowed)] == '\0' && !strstr(name, "..");
}

static int template_load(
	struct template_set *set, const char *name, struct mustache **ret_template, struct err *err)
{
	cleanup_free char *path = xformat("%s/%s.mustache", set->folder, name);
	cleanup_buf struct buf text = BUF_INIT(TEMPLATE_SIZE_MAX);
	int r;

	if (!is_template_name(name))
		return err_set(err, -EINVAL, "'%s' is no name of a template", name);
	r = file_read(path, &text, err);
	if (r < 0)
		return r;
	return mustache_compile(name, buf_text(&text), text.size_bytes, ret_template, err);
}

/* A find_partial of render/mustache.h. A partial that is missing is an error, not nothing. */
static int template_find(
	void *data, const char *name, const struct mustache **ret_template, struct err *err)
{
	struct template_set *set = data;
	struct mustache *template = NULL;
	int r;

	for (size_t i = 0; i < set->count; i++) {
		if (text_equal(set->names[i], name)) {
			*ret_template = set->compiled[i];
			return 0;
		}
	}
	if (set->count == PARTIALS_MAX)
		return err_set(err, -EINVAL, "more than %d templates for one text", PARTIALS_MAX);
	r = template_load(set, name, &template, err);
	if (r < 0)
		return r;
	set->names[set->count] = xstrdup(name);
	set->compiled[set->count++] = template;
	*ret_template = template;
	return 0;
}

int template_render(const char *folder, const char *name, const json_t *view,
	void (*escape)(const char *text, size_t size_bytes, struct buf *ret_text),
	struct buf *ret_text, struct err *err)
{
	CLEANUP(template_set_deinit) struct template_set set = {.folder = folder};
	struct mustache_dialect dialect = {
		.escape = escape, .find_partial = template_find, .data = &set};
	const struct mustache *template = NULL;
	int r = template_find(&set, name, &template, err);

	if (r < 0)
		return r;
	return mustache_render(template, view, &dialect, ret_text, err);
}
