/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mustache templates (https://mustache.github.io/mustache.5.html) over a JSON view: variables,
 * sections, inverted sections, comments, partials with indentation, standalone lines, set
 * delimiters. No lambdas. A template is compiled once and may then be rendered many times, by
 * several threads at once. Used by the agent and amphoractl.
 *
 * Absent, null, false and the empty list are false; everything else, "" and 0 too, is true. A
 * variable that is absent or null renders as nothing.
 */
#pragma once

#include <jansson.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"

struct mustache;

/*
 * Compiles size_bytes bytes of text, of which it keeps a copy. name stands in error texts. -EINVAL
 * with "template NAME, line N: …" when the template is wrong.
 */
int mustache_compile(const char *name, const char *text, size_t size_bytes,
	struct mustache **ret_mustache, struct err *err);
void mustache_free(struct mustache *mustache);

/* How the same template becomes text of one language or another. */
struct mustache_dialect {
	/*
	 * Appends what {{variable}} gives for size_bytes bytes of text. NULL: as it is, like
	 * {{{variable}}}.
	 */
	void (*escape)(const char *text, size_t size_bytes, struct buf *ret_text);
	/*
	 * Finds what {{>name}} stands for; it stays the finder's. NULL renders as nothing; a
	 * negative errno ends the rendering. May itself be NULL: no partials.
	 */
	int (*find_partial)(
		void *data, const char *name, const struct mustache **ret_partial, struct err *err);
	void *data;
};

/*
 * Appends the rendered text. -EINVAL when the view does not fit (an object or a list where a
 * variable stands) or partials nest too deeply, -EMSGSIZE when ret_text's maximum is reached; what
 * was appended until then is of no use.
 */
int mustache_render(const struct mustache *mustache, const json_t *view,
	const struct mustache_dialect *dialect, struct buf *ret_text, struct err *err);

DEFINE_CLEANUP(struct mustache *, mustache_free);
#define cleanup_mustache CLEANUP(cleanup_mustache_free)
