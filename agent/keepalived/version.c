/* SPDX-License-Identifier: Apache-2.0 */
#include "keepalived/version.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "sys/process.h"

enum { ASK_TIMEOUT_MS = 5000, OUTPUT_MAX_BYTES = 64 * KIB };

/* The number that *rest begins with and what ends it, which are skipped. */
static bool number_take(const char **rest, unsigned *ret_number)
{
	size_t size = strspn(*rest, "0123456789");
	uint64_t number;

	if (text_parse_u64_span(*rest, size, 0, UINT_MAX, &number) < 0)
		return false;
	*ret_number = (unsigned)number;
	*rest += size + ((*rest)[size] == '.');
	return true;
}

bool keepalived_version_parse(const char *text, struct keepalived_version *ret_version)
{
	static const char prefix[] = "Keepalived v";
	struct keepalived_version version;
	const char *rest = strstr(text, prefix);

	if (!rest)
		return false;
	rest += strlen(prefix);
	if (!number_take(&rest, &version.major) || !number_take(&rest, &version.minor) ||
		!number_take(&rest, &version.patch))
		return false;
	*ret_version = version;
	return true;
}

static bool is_at_least(
	const struct keepalived_version *version, unsigned major, unsigned minor, unsigned patch)
{
	if (version->major != major)
		return version->major > major;
	if (version->minor != minor)
		return version->minor > minor;
	return version->patch >= patch;
}

bool keepalived_reload_keeps_members(const struct keepalived_site *site)
{
	const char *const argv[] = {site->command, "-v", NULL};
	const struct process_spec spec = {.argv = argv};
	cleanup_buf struct buf output = BUF_INIT(OUTPUT_MAX_BYTES);
	struct keepalived_version version;
	int status;

	return process_run(&spec, ASK_TIMEOUT_MS, &output, &status, NULL) == 0 && status == 0 &&
	       keepalived_version_parse(buf_text(&output), &version) &&
	       is_at_least(&version, 2, 0, 14);
}
