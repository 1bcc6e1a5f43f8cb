/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/applied.h"

const char *applied_text(enum applied applied)
{
	static const char *const texts[] = {
		[APPLIED_NONE] = "none",
		[APPLIED_STOP] = "stop",
		[APPLIED_RUNTIME] = "runtime",
		[APPLIED_RELOAD] = "reload",
		[APPLIED_START] = "start",
	};

	return texts[applied];
}
