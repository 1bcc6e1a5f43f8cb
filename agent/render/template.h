/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates in a folder, NAME.mustache, whose partials lie beside them. The folder is ours or the
 * operator's ([agent] template_dir). They are read at each rendering, so a changed one takes effect
 * at once. Used by the agent and amphoractl.
 */
#pragma once

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Appends FOLDER/NAME.mustache, rendered over the view with the given escape (render/mustache.h).
 * Errors of file_read() and of render/mustache.h.
 */
int template_render(const char *folder, const char *name, const json_t *view,
	void (*escape)(const char *text, size_t size_bytes, struct buf *ret_text),
	struct buf *ret_text, struct err *err);
