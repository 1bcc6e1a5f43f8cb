/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Models for the tests of model/ and render/: written with ' for ", parsed, and compared with the
 * faults they should have, one line each: "/pointer: sentence".
 */
#pragma once

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "model/load_balancer.h"

struct model_case {
	struct faults faults;
	struct load_balancer *load_balancer; /* NULL: refused */
};

static inline void model_case_deinit(struct model_case *model)
{
	load_balancer_free(model->load_balancer);
	faults_deinit(&model->faults);
}
#define cleanup_model CLEANUP(model_case_deinit)

/* '…' becomes "…"; the caller frees. */
static inline char *quoted(const char *text)
{
	char *copy = xstrdup(text);

	for (char *p = copy; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	return copy;
}

/* Parses a model; its URL's id is "lb". */
static inline struct model_case model_parse(const char *text)
{
	static const struct id id = {"lb"};
	cleanup_free char *json = quoted(text);
	struct model_case model = {0};

	load_balancer_parse(json, strlen(json), &id, &model.faults, &model.load_balancer, NULL);
	return model;
}

static inline char *fault_lines(const struct fault_list *list)
{
	cleanup_buf struct buf lines = BUF_INIT(64 * KIB);

	for (size_t i = 0; i < list->count; i++)
		buf_append_format(&lines, "%s%s: %s", i ? "\n" : "", list->items[i].path,
			list->items[i].text);
	return buf_take_text(&lines);
}

/* The faults of the model are exactly these; "" means that it is taken. */
#define assert_faults(text, expected)                                                              \
	do {                                                                                       \
		cleanup_model struct model_case model_ = model_parse(text);                        \
		cleanup_free char *lines_ = fault_lines(&model_.faults.errors);                    \
                                                                                                   \
		assert_string_equal(lines_, expected);                                             \
		assert_int_equal(model_.load_balancer == NULL, lines_[0] != '\0');                 \
	} while (0)

/* One listener with one pool, around the text of one thing in it. */
#define LISTENER_MODEL(keys)                                                                       \
	"{'vip_address': '10.0.0.1', 'listeners': [{'protocol': 'HTTP', 'protocol_port': 80" keys  \
	"}]}"
#define POOL_MODEL(keys)                                                                           \
	LISTENER_MODEL(                                                                            \
		", 'default_pool': {'protocol': 'HTTP', 'lb_algorithm': 'ROUND_ROBIN'" keys "}")
/* A pool of any protocol, which no listener uses. */
#define LISTED_POOL_MODEL(protocol, keys)                                                          \
	"{'vip_address': '10.0.0.1', 'pools': [{'id': 'p', 'lb_algorithm': 'ROUND_ROBIN', "        \
	"'protocol': '" protocol "'" keys "}]}"
#define LISTED_POOL_POINTER    "/pools/0"
#define MEMBERS_MODEL(members) POOL_MODEL(", 'members': [" members "]")
#define MONITOR_MODEL(keys)                                                                        \
	POOL_MODEL(", 'healthmonitor': {'delay': 5, 'timeout': 3, 'max_retries': 2" keys "}")
#define POOL_POINTER "/listeners/0/default_pool"
