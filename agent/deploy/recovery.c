/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/recovery.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "deploy/admission.h"
#include "deploy/part.h"
#include "deploy/transition.h"
#include "deploy/undo_log.h"
#include "haproxy/instance.h"
#include "haproxy/stored_model.h"

/* One that was cut short. */
struct interrupted {
	struct haproxy_instance *instance;
	struct parts parts;
};

struct recovery {
	const struct deploy_site *site;
	struct interrupted *items;
	size_t count;
};

static void interrupted_put_back(const struct deploy_site *site, struct interrupted *interrupted)
{
	const char *id = interrupted->instance->id.text;
	struct err err = ERR_NONE;

	if (undo_log_load(site, interrupted->instance, &interrupted->parts, &err) < 0) {
		log_error("load balancer %s: an interrupted deployment cannot be undone: %s", id,
			err.text);
		return;
	}
	log_warning("load balancer %s: a model was being applied when the agent ended; going back "
		    "to what was before",
		id);
	transition_put_back(&interrupted->parts);
	haproxy_stored_model_prune(interrupted->instance);
}

struct recovery *recovery_begin(const struct deploy_site *site)
{
	struct recovery *recovery = xcalloc(1, sizeof(*recovery));
	cleanup_free struct id *ids = NULL;
	struct err err = ERR_NONE;
	size_t count = 0;

	recovery->site = site;
	if (undo_log_find(site, &ids, &count, &err) < 0)
		log_error("%s", err.text);
	recovery->items = xcalloc(count + 1, sizeof(*recovery->items));
	for (size_t i = 0; i < count; i++) {
		struct interrupted *interrupted = &recovery->items[recovery->count++];

		interrupted->instance = haproxy_instance_acquire(site->haproxy, &ids[i]);
		interrupted_put_back(site, interrupted);
	}
	return recovery;
}

/* What is taken up again must not be open to everybody; admission_restore() tries again. */
static void clients_restore(const struct recovery *recovery)
{
	struct err err = ERR_NONE;

	if (recovery && recovery->count > 0 && admission_enforce(recovery->site, &err) < 0)
		log_error("%s", err.text);
}

void recovery_finish(struct recovery *recovery)
{
	clients_restore(recovery);
	for (size_t i = 0; recovery && i < recovery->count; i++) {
		const struct interrupted *interrupted = &recovery->items[i];
		const struct id *id = &interrupted->instance->id;
		struct err err = ERR_NONE;

		transition_take_up_again(&interrupted->parts, NULL);
		if (undo_log_remove(recovery->site, id, &err) < 0)
			log_error("load balancer %s: %s", id->text, err.text);
	}
	recovery_abandon(recovery);
}

void recovery_abandon(struct recovery *recovery)
{
	if (!recovery)
		return;
	while (recovery->count > 0) {
		struct interrupted *interrupted = &recovery->items[--recovery->count];

		parts_deinit(&interrupted->parts);
		haproxy_instance_release(interrupted->instance);
	}
	free(recovery->items);
	free(recovery);
}
