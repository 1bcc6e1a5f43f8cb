/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which texts can be said to keepalived. Its parser (lib/parser.c, 2.2 to 2.4) knows no escapes in
 * ordinary values: between double quotes everything stands for itself but the quote, a newline,
 * NUL, a '$' before the name of a definition ($_PWD, ${_RANDOM 1 6}), and a backslash that would
 * keep the closing quote from being one. A brace alone is a block's even there, for the processes
 * that skip the block: those of keepalived that do not do VRRP, or do not check members. Lines end
 * after 1,023 bytes, wherever that is. So a model must not hold the rest in what becomes a word of
 * keepalived's; render/escape_keepalived.h writes what may be there. Used by the agent and
 * amphoractl.
 */
#pragma once

#include <stddef.h>

/* Leaves room for what stands before it on its line. */
enum { KEEPALIVED_WORD_MAX_BYTES = 900 };

/* The place of the first byte that keepalived cannot be told; size_bytes: there is none. */
size_t keepalived_word_check(const char *text, size_t size_bytes);
/* What is wrong with the text for keepalived, as a fault says it; NULL: nothing. Static. */
const char *keepalived_word_fault(const char *text);
