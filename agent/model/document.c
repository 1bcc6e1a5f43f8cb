/* SPDX-License-Identifier: Apache-2.0 */
#include "model/document.h"

#include <stdbool.h>
#include <string.h>

static const struct place whole = {0};

/* What a text holds, counted without parsing it: exact when it is JSON, and else an upper bound. */
struct extent {
	size_t depth;  /* of the deepest value */
	size_t values; /* lists, objects and what their commas part */
};

static struct extent extent_of(const char *text, size_t size_bytes)
{
	struct extent extent = {0};
	size_t depth = 0;
	bool in_string = false;

	for (size_t i = 0; i < size_bytes; i++) {
		char c = text[i];

		if (in_string && c == '\\') {
			i++;
		} else if (c == '"') {
			in_string = !in_string;
		} else if (in_string) {
			continue;
		} else if (c == '{' || c == '[') {
			depth++;
			extent.values++;
			extent.depth = depth > extent.depth ? depth : extent.depth;
		} else if (c == '}' || c == ']') {
			depth = depth > 0 ? depth - 1 : 0;
		} else if (c == ',') {
			extent.values++;
		}
	}
	return extent;
}

static bool is_within_limits(const char *text, size_t size_bytes, struct faults *faults)
{
	struct extent extent;

	if (size_bytes > DOCUMENT_SIZE_MAX) {
		faults_add(faults, &whole, NULL, "must be at most %d bytes", DOCUMENT_SIZE_MAX);
		return false;
	}
	extent = extent_of(text, size_bytes);
	if (extent.depth > DOCUMENT_DEPTH_MAX) {
		faults_add(faults, &whole, NULL, "must not nest deeper than %d levels",
			DOCUMENT_DEPTH_MAX);
		return false;
	}
	if (extent.values > DOCUMENT_VALUES_MAX) {
		faults_add(
			faults, &whole, NULL, "must hold at most %d values", DOCUMENT_VALUES_MAX);
		return false;
	}
	return true;
}

/*
 * Faults at the texts that hold a NUL; whoever reads a text may then take it for a C string. The
 * depth is bounded: see is_within_limits().
 */
static void nuls_report(const json_t *value, const struct place *place, struct faults *faults)
{
	size_t index;
	const char *key;
	json_t *element;

	if (json_is_string(value) && strlen(json_string_value(value)) != json_string_length(value))
		faults_add(faults, place, NULL, "must not hold a NUL");
	json_array_foreach(value, index, element)
		nuls_report(element, &(struct place){.parent = place, .index = index}, faults);
	if (!json_is_object(value))
		return;
	json_object_foreach((json_t *)value, key, element)
		nuls_report(element, &(struct place){.parent = place, .key = key}, faults);
}

/* jansson quotes what it stumbled on, which may be a secret: the position tells where it is. */
static void fault_of_syntax(json_error_t *error, struct faults *faults)
{
	char *quoted = strstr(error->text, " near '");
	struct fault *fault;

	if (quoted && json_error_code(error) != json_error_duplicate_key)
		*quoted = '\0';
	faults_add(faults, &whole, NULL, "is not JSON: line %d, column %d: %s", error->line,
		error->column, error->text);
	if (faults->errors.left_out > 0)
		return;
	fault = &faults->errors.items[faults->errors.count - 1];
	fault->line = (unsigned)error->line;
	fault->column = (unsigned)error->column;
}

json_t *document_parse(const char *text, size_t size_bytes, struct faults *ret_faults)
{
	size_t faults_before = ret_faults->errors.count;
	json_error_t error;
	json_t *document;

	if (!is_within_limits(text, size_bytes, ret_faults))
		return NULL;
	document = json_loadb(text, size_bytes, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
	if (!document) {
		fault_of_syntax(&error, ret_faults);
		return NULL;
	}
	/* Only an escape can bring one into a text. */
	if (memmem(text, size_bytes, "\\u0000", 6))
		nuls_report(document, &whole, ret_faults);
	if (ret_faults->errors.count > faults_before) {
		json_decref(document);
		return NULL;
	}
	return document;
}
