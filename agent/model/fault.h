/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is wrong with a model, all of it in one answer: each fault is a JSON pointer (RFC 6901) into
 * the document and a sentence about what stands there (model.md, "Endpoints"). Warnings, about what
 * is legal but unwise, are listed apart. Filled while a model is parsed; owned by who asked for
 * that. Used by the agent and amphoractl.
 */
#pragma once

#include <stddef.h>

#include "base/cleanup.h"

enum { FAULTS_MAX = 100 };

/* A value's place in the document: a chain that ends at the whole document, which has no parent. */
struct place {
	const struct place *parent;
	const char *key; /* its name in the object around it; NULL: an element of a list */
	size_t index;    /* which element */
};

struct fault {
	char *path; /* JSON pointer; "" is the whole document */
	char *text; /* "must be at least 1" */
	/* Of a text that is no JSON, where it stops being; line 0: where the path points. */
	unsigned line, column;
};

struct fault_list {
	struct fault items[FAULTS_MAX];
	size_t count;
	size_t left_out; /* how many more there were */
};

struct faults {
	struct fault_list errors;
	struct fault_list warnings;
};

/* At what key names inside place, or, when key is NULL, at place itself. */
void faults_add(struct faults *faults, const struct place *place, const char *key,
	const char *format, ...) __attribute__((format(printf, 4, 5)));
void faults_warn(struct faults *faults, const struct place *place, const char *key,
	const char *format, ...) __attribute__((format(printf, 4, 5)));
void faults_deinit(struct faults *faults);

#define cleanup_faults CLEANUP(faults_deinit)
