/* SPDX-License-Identifier: Apache-2.0 */
#include "model/duration.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/text.h"

int duration_parse(const char *text, int64_t *ret_ms)
{
	static const struct {
		const char *name;
		int64_t ms;
	} units[] = {{"ms", 1}, {"h", 3600 * 1000}, {"m", 60 * 1000}, {"s", 1000}};
	int64_t duration_ms = 0;

	do {
		size_t digits = strspn(text, "0123456789");
		uint64_t number;
		size_t unit = 0;

		if (text_parse_u64_span(text, digits, 0, INT32_MAX, &number) < 0)
			return -EINVAL;
		text += digits;
		while (unit < sizeof(units) / sizeof(units[0]) &&
			!text_starts_with(text, units[unit].name))
			unit++;
		if (unit == sizeof(units) / sizeof(units[0]))
			return -EINVAL;
		text += strlen(units[unit].name);
		duration_ms += (int64_t)number * units[unit].ms;
	} while (*text && duration_ms < INT64_MAX / 2);
	*ret_ms = duration_ms;
	return 0;
}
