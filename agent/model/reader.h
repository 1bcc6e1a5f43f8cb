/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cursor on one JSON object of a model: reads its keys into types, reports what does not fit as
 * faults that know their JSON pointer, and in the end what nobody asked for. A reader or list lives
 * where it was declared (places point to it) and must not outlive the document. Used by model/
 * only.
 *
 * null means absent. A value that is absent or at fault reads as the fallback, so that a caller can
 * go on and find the other faults; the number of faults decides in the end.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/address.h"
#include "base/certificate_name.h"
#include "base/id.h"
#include "model/fault.h"

enum { READER_KEYS_MAX = 32, READER_NAME_MAX = 255 };

struct reader {
	struct place place;
	const json_t *object;
	struct faults *faults;
	const char *asked[READER_KEYS_MAX]; /* keys that were read */
	size_t asked_count;
	size_t found_count; /* how many of them are there */
};

struct reader_list {
	struct place place;
	const json_t *array;
	size_t next;
	struct faults *faults;
};

/* A word of a fixed set. A table of them ends with {NULL}. */
struct choice {
	const char *name;
	int value; /* not negative, or CHOICE_REFUSED */
};
/* A word that Octavia knows and amphorae do not. */
enum { CHOICE_REFUSED = -1 };

/* The word of a value that is in the table. */
const char *choice_name(const struct choice choices[], int value);

/* A key that is known, and refused or ignored where it says something. A table of them ends with
 * {NULL}. */
struct refused_key {
	const char *key;
	const char *why;
};
#define REFUSED_BARBICAN(our_key)                                                                  \
	"names a secret in Barbican, which an agent cannot read: upload the PEM and name it in "   \
	"'" our_key "'"

/* On the whole document; false, with a fault, when that is no object. */
bool reader_init(struct reader *ret_reader, const json_t *document, struct faults *faults);

/* Faults for those of the keys (a table that ends with NULL) that are absent. */
void reader_require(struct reader *reader, const char *const keys[]);
/* Faults for keys that have no place beside what the object's others say. */
void reader_refuse(struct reader *reader, const struct refused_key refused[]);
/* Warnings for such keys, where they do no harm. */
void reader_ignore(struct reader *reader, const struct refused_key ignored[]);
/* The key's value, for what no other call reads; NULL when it is absent or null. */
const json_t *reader_value(struct reader *reader, const char *key);
bool reader_has(struct reader *reader, const char *key);
/* Not so when the value is one of Octavia's ways to say that a thing is not used: null, false, "",
 * "NONE", [], {}. */
bool reader_says(struct reader *reader, const char *key);

/*
 * A text without control characters, of at most max_characters characters; NULL when absent or at
 * fault. It stays the document's.
 */
const char *reader_text(struct reader *reader, const char *key, size_t max_characters);
long reader_number(struct reader *reader, const char *key, long min, long max, long fallback);
bool reader_flag(struct reader *reader, const char *key, bool fallback);
int reader_choice(
	struct reader *reader, const char *key, const struct choice choices[], int fallback);
/*
 * An integer in units of unit_ms, or a text such as "1m30s" or "500ms", in milliseconds. min and
 * max are in units.
 */
long reader_duration_ms(
	struct reader *reader, const char *key, long unit_ms, long min, long max, long fallback_ms);
/* The same in whole seconds. */
long reader_seconds(struct reader *reader, const char *key, long min, long max, long fallback);
/* The object's "name", the caller's to free; "" when it has none. */
char *reader_name(struct reader *reader);
/*
 * These return whether there is one, and else leave the result alone. An address is that of one
 * host: neither unspecified (0.0.0.0, which HAProxy takes for "where the client went") nor
 * multicast.
 */
bool reader_address(struct reader *reader, const char *key, struct address *ret_address);
bool reader_id(struct reader *reader, const char *key, struct id *ret_id);
/* "" is none. */
bool reader_certificate(
	struct reader *reader, const char *key, struct certificate_name *ret_certificate);
bool reader_enter_object(struct reader *reader, const char *key, struct reader *ret_reader);
bool reader_enter_list(struct reader *reader, const char *key, struct reader_list *ret_list);
size_t reader_list_size(const struct reader_list *list);
/* The next object of the list; elements that are none are faults. false at the end. */
bool reader_list_next(struct reader_list *list, struct reader *ret_reader);
/* The same for a list of texts such as reader_text() takes; a text stays the document's. */
bool reader_list_next_text(struct reader_list *list, size_t max_characters, const char **ret_text);
/* The same for a list of names of certificates. */
bool reader_list_next_certificate(
	struct reader_list *list, struct certificate_name *ret_certificate);

/*
 * Faults for the keys that nobody read, but for what Octavia's API puts into its own answers and an
 * agent has no use for (model.md, "Endpoints"). refused: what to say of some; NULL: of none.
 */
void reader_finish(struct reader *reader, const struct refused_key refused[]);

/* A fault or warning about the key's value, or about the object itself when key is NULL. */
#define reader_fault(reader, key, ...)                                                             \
	faults_add((reader)->faults, &(reader)->place, (key), __VA_ARGS__)
#define reader_warn(reader, key, ...)                                                              \
	faults_warn((reader)->faults, &(reader)->place, (key), __VA_ARGS__)
/* About the element of the list that came last. */
#define reader_list_fault(list, ...)                                                               \
	faults_add((list)->faults,                                                                 \
		&(struct place){.parent = &(list)->place, .index = (list)->next - 1}, NULL,        \
		__VA_ARGS__)
