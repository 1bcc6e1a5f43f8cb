/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP's token (RFC 9110, 5.6.2): what the names of headers and cookies are. Used by model/ only.
 */
#pragma once

/* NULL, or a sentence that says what is wrong with the text; an empty one is not. */
const char *token_fault(const char *text);
