/* SPDX-License-Identifier: Apache-2.0 */
#include "drive/json.h"

#include <errno.h>

int drive_json_parse(const char *text, size_t size_bytes, json_t **ret_tree, struct err *err)
{
	json_error_t error;
	json_t *tree = json_loadb(text, size_bytes, JSON_REJECT_DUPLICATES, &error);

	/* jansson's text quotes what it stumbled on, which may be a secret. */
	if (!tree)
		return err_set(err, -EINVAL, "is no JSON from line %d, column %d on", error.line,
			error.column);
	*ret_tree = tree;
	return 0;
}
