/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/tuned.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"

static const char active_profile[] = "/etc/tuned/active_profile";
static const char blanks[] = " \t\r\n";

void tuned_read_profiles(struct tuned_profiles *ret_profiles)
{
	cleanup_buf struct buf text = BUF_INIT(TUNED_PROFILES_MAX_BYTES);

	if (file_read(active_profile, &text, NULL) < 0)
		buf_clear(&text);
	snprintf(ret_profiles->text, sizeof(ret_profiles->text), "%.*s",
		(int)strcspn(buf_text(&text), "\r\n"), buf_text(&text));
}

bool tuned_profiles_have(const struct tuned_profiles *profiles, const char *name)
{
	const char *word = profiles->text + strspn(profiles->text, blanks);

	while (*word) {
		size_t size = strcspn(word, blanks);

		if (size == strlen(name) && memcmp(word, name, size) == 0)
			return true;
		word += size;
		word += strspn(word, blanks);
	}
	return false;
}
