/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the files of the LVS (UDP and SCTP) listeners lie, L the listener's id (amphora-api.md,
 * "Names of files, units, helpers"). A plain value of base_path, so that the sender, which changes
 * nothing, can use it too. Used by the agent, the sender and the Prometheus proxy.
 *
 *	BASE/lvs/octavia-keepalivedlvs-L.conf      what ought to run; it makes the listener
 *	BASE/lvs/octavia-keepalivedlvs-L.conf.new  an upload while it is checked
 *	BASE/lvs/octavia-keepalivedlvs-L.pid       keepalived's -p
 *	BASE/lvs/octavia-keepalivedlvs-L.vrrp.pid  -r
 *	BASE/lvs/octavia-keepalivedlvs-L.check.pid -c
 *	BASE/lvs/octavia-keepalivedlvs-L.stopped   marker: stopped by request
 *	BASE/lvs/octavia-keepalivedlvs-L.running   what was last taken up (lvs/running.h)
 *	BASE/lvs/check/udp_check.sh                what its configs' MISC_CHECKs run
 */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/id.h"

enum lvs_file {
	LVS_FILE_CONFIG,
	LVS_FILE_CONFIG_NEW,
	LVS_FILE_PID,
	LVS_FILE_VRRP_PID,
	LVS_FILE_CHECK_PID,
	LVS_FILE_STOPPED,
	LVS_FILE_RUNNING,
};

/* The path; the caller frees it. */
char *lvs_path(const char *base_path, const struct id *listener, enum lvs_file file);
/* The listeners that have a config, sorted; the caller frees *ret_ids. No folder: none. */
int lvs_listeners(const char *base_path, struct id **ret_ids, size_t *ret_count, struct err *err);
