/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: models (model/load_balancer.h) and what is said of them (model/fault_lines.h).
 * Whatever the bytes, they are refused with faults that say something somewhere, or taken. What is
 * rendered of them is render_fuzz.c's.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/fault_lines.h"
#include "model/load_balancer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

static void check_faults(const struct fault_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].text[0] == '\0' ||
			(list->items[i].path[0] != '\0' && list->items[i].path[0] != '/'))
			abort();
}

static bool is_fit_for_a_terminal(const struct buf *text)
{
	for (size_t i = 0; i < text->size_bytes; i++)
		if ((unsigned char)text->data[i] < 0x20 && text->data[i] != '\n')
			return false;
	return text_is_utf8(buf_text(text), text->size_bytes);
}

/* One line for each fault, and one for those that are too many. */
static void check_lines(const struct faults *faults, const char *text, size_t size_bytes)
{
	cleanup_buf struct buf lines = BUF_INIT(FAULT_LINES_MAX);
	size_t expected = faults->errors.count + faults->warnings.count;
	size_t count = 0;

	expected += faults->errors.left_out + faults->warnings.left_out > 0;
	fault_lines_append(faults, "model.json", text, size_bytes, &lines);
	for (const char *line = buf_text(&lines); line; line = strchr(line, '\n')) {
		line += *line == '\n';
		count += text_starts_with(line, "model.json:");
	}
	if (buf_error(&lines) || count != expected || !is_fit_for_a_terminal(&lines))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	cleanup_faults struct faults faults = {0};
	cleanup_load_balancer struct load_balancer *load_balancer = NULL;
	int r = load_balancer_parse(
		(const char *)data, size_bytes, NULL, &faults, &load_balancer, NULL);

	check_faults(&faults.errors);
	check_faults(&faults.warnings);
	if ((r < 0) != (faults.errors.count > 0) || (r < 0) != (load_balancer == NULL))
		abort();
	check_lines(&faults, (const char *)data, size_bytes);
	return 0;
}
