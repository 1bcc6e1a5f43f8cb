/* SPDX-License-Identifier: Apache-2.0 */
#include "prometheus/lvs_exporter.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "lvs/site.h"

/* 1: there is a listener; 0: there is none. */
static int has_listeners(const struct lvs_exporter *exporter, struct err *err)
{
	cleanup_free struct id *listeners = NULL;
	size_t count = 0;
	int r = lvs_listeners(exporter->base_path, &listeners, &count, err);

	return r < 0 ? r : count > 0;
}

/* Makes the sources, once there is a listener. Whether they are there. */
static bool prepare(struct lvs_exporter *exporter)
{
	struct err err = ERR_NONE;
	int r;

	if (exporter->sources)
		return true;
	r = has_listeners(exporter, &err);
	if (r > 0)
		r = ipvs_open(&exporter->ipvs, &err);
	else if (r == 0)
		return false;
	if (r < 0) {
		condition_raise(
			&exporter->unprepared, r, "LVS listeners are left out: %s", err.text);
		return false;
	}
	condition_clear(&exporter->unprepared, "LVS listeners are served");
	exporter->sources =
		lvs_sources_new(exporter->base_path, exporter->ipvs, &LVS_EXPORTER_LIMITS);
	return true;
}

static int member_compare(const void *a, const void *b)
{
	return strcmp(((const struct lvs_member_status *)a)->id.text,
		((const struct lvs_member_status *)b)->id.text);
}

void lvs_exporter_refresh(struct lvs_exporter *exporter, int64_t now_ms)
{
	struct lvs_observation *observation = &exporter->observation;

	if (now_ms < exporter->fresh_until_ms)
		return;
	exporter->fresh_until_ms = now_ms + LVS_EXPORTER_FRESH_MS;
	/* First: two at once would be twice the memory. */
	lvs_observation_deinit(observation);
	if (!prepare(exporter))
		return;
	lvs_sources_observe(exporter->sources, LVS_EXPORTER_TIMEOUT_MS, observation);
	for (size_t i = 0; i < observation->listener_count; i++) {
		struct lvs_status *status = observation->listeners[i].status;

		if (status->member_count > 1)
			qsort(status->members, status->member_count, sizeof(*status->members),
				member_compare);
	}
}

void lvs_exporter_deinit(struct lvs_exporter *exporter)
{
	lvs_observation_deinit(&exporter->observation);
	lvs_sources_free(exporter->sources);
	ipvs_close(exporter->ipvs);
	condition_deinit(&exporter->unprepared);
}
