/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A regular expression for HAProxy, which compiles it with PCRE and has the last word (haproxy -c).
 * Found here is what no PCRE takes, so that such a fault has its place in the document. Used by
 * model/ only.
 */
#pragma once

/* NULL, or a sentence that says what is wrong with the text. */
const char *regular_expression_fault(const char *text);
