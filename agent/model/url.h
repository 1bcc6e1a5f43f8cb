/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An absolute URL such as a request may be redirected to, checked as Octavia's API does
 * (octavia/common/validate.py, url()). Used by model/ only.
 */
#pragma once

enum { URL_CHARACTERS_MAX = 255 };

/* NULL, or a sentence that says what the text (without control characters) lacks. */
const char *url_fault(const char *text);
