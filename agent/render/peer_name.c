/* SPDX-License-Identifier: Apache-2.0 */
#include "render/peer_name.h"

#include <string.h>

#include "base/alloc.h"
#include "sys/digest.h"

char *peer_name_of(const struct id *amphora_id)
{
	char name[SHA1_BASE64_SIZE + 1];

	digest_sha1_base64(amphora_id->text, strlen(amphora_id->text), name);
	name[strcspn(name, "=")] = '\0';
	for (char *c = name; *c; c++)
		*c = *c == '+' ? '_' : *c == '/' ? '-' : *c;
	if (name[0] == '-')
		name[0] = 'x';
	return xstrdup(name);
}
