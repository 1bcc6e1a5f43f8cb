/* SPDX-License-Identifier: Apache-2.0 */
#include "haproxy/server_state.h"

#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "haproxy/master.h"

/* Columns of version 1 of the format; HAProxy wants no fewer than these. */
enum column {
	COLUMN_BACKEND_ID,
	COLUMN_BACKEND,
	COLUMN_SERVER_ID,
	COLUMN_SERVER,
	COLUMN_ADDRESS,
	COLUMN_OP_STATE,
	COLUMN_ADMIN_STATE,
	COLUMN_USER_WEIGHT,
	COLUMN_INITIAL_WEIGHT,
	COLUMN_SINCE_CHANGE,
	COLUMN_CHECK_STATUS,
	COLUMN_CHECK_RESULT,
	COLUMN_CHECK_HEALTH,
	COLUMN_CHECK_STATE,
	COLUMN_AGENT_STATE,
	COLUMN_BACKEND_FORCED_ID,
	COLUMN_SERVER_FORCED_ID,
	COLUMN_FQDN,
	COLUMN_PORT,
	COLUMN_SRV_RECORD,
	COLUMNS,
};

enum {
	/* Of server-t.h: maintenance asked for, inherited from a tracked server, from DNS. */
	ADMIN_MAINTENANCE = 0x01 | 0x02 | 0x20,
	/* Of check-t.h: configured, and not switched off. */
	CHECK_STATE_NORMAL = 0x02 | 0x04,
	STATE_MAX_BYTES = 64 * MIB,
};

static const char header[] =
	"1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight "
	"srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health "
	"srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port "
	"srvrecord\n";

struct row {
	const char *columns[COLUMNS];
};

/* Cuts a line into columns. false: it has too few, so it is none. */
static bool row_split(char *line, struct row *ret_row)
{
	for (size_t i = 0; i < COLUMNS; i++) {
		line += strspn(line, " ");
		if (!line[0])
			return false;
		ret_row->columns[i] = line;
		line += strcspn(line, " ");
		if (line[0])
			*line++ = '\0';
	}
	return true;
}

static bool is_in_maintenance(const struct row *row)
{
	return strtoul(row->columns[COLUMN_ADMIN_STATE], NULL, 10) & ADMIN_MAINTENANCE;
}

/* Whether the row's server is the one that the config means: the numeric address, or the name. */
static bool is_same_address(const struct row *row, const struct haproxy_server *server)
{
	cleanup_free char *host = NULL;
	struct address configured;
	struct address running;
	size_t host_size;
	uint64_t running_port;
	unsigned port;

	if (!haproxy_server_split_address(server->address, &host_size, &port) ||
		text_parse_u64(row->columns[COLUMN_PORT], 1, UINT16_MAX, &running_port) < 0 ||
		running_port != port)
		return false;
	host = xmemdup_text(server->address, host_size);
	if (address_parse(host, &configured) < 0)
		return text_equal(row->columns[COLUMN_FQDN], host);
	return address_parse(row->columns[COLUMN_ADDRESS], &running) == 0 &&
	       address_equal(&configured, &running);
}

static bool may_carry(const struct row *row, const struct haproxy_server *server)
{
	return server && server->check && !server->disabled && !is_in_maintenance(row) &&
	       is_same_address(row, server);
}

static void row_append(struct buf *text, struct row *row, const struct haproxy_server *server)
{
	char weight[16];
	char check_state[16];

	snprintf(weight, sizeof(weight), "%u", server->weight);
	snprintf(check_state, sizeof(check_state), "%d", CHECK_STATE_NORMAL);
	row->columns[COLUMN_ADMIN_STATE] = "0";
	row->columns[COLUMN_USER_WEIGHT] = weight;
	row->columns[COLUMN_INITIAL_WEIGHT] = weight;
	row->columns[COLUMN_CHECK_STATE] = check_state;
	row->columns[COLUMN_AGENT_STATE] = "0";
	for (size_t i = 0; i < COLUMNS; i++)
		buf_append_format(text, "%s%c", row->columns[i], i + 1 < COLUMNS ? ' ' : '\n');
}

void haproxy_server_state_carry(
	const char *state, const struct haproxy_servers *servers, struct buf *ret_text)
{
	cleanup_free char *copy = xstrdup(state);
	char *rest = copy;
	char *version = strsep(&rest, "\n");
	char *line;

	buf_append_text(ret_text, header);
	if (!text_equal(version, "1"))
		return;
	while ((line = strsep(&rest, "\n"))) {
		const struct haproxy_server *server;
		struct row row;

		if (line[0] == '#' || !row_split(line, &row))
			continue;
		server = haproxy_servers_find(
			servers, row.columns[COLUMN_BACKEND], row.columns[COLUMN_SERVER]);
		if (may_carry(&row, server))
			row_append(ret_text, &row, server);
	}
}

/* The worker's file: it may be lost in a power cut, but never torn. */
static int state_store(
	const struct haproxy_instance *instance, const struct buf *state, struct err *err)
{
	cleanup_free char *path =
		haproxy_site_path(instance->site, &instance->id, HAPROXY_FILE_SERVERS_STATE);
	int r = buf_error(state);

	if (r < 0)
		return err_set_errno(err, r, "writing %s", path);
	return file_replace_nosync(path, buf_text(state), state->size_bytes, 0600, err);
}

int haproxy_server_state_save(const struct haproxy_instance *instance, pid_t worker,
	const char *text, size_t size_bytes, struct err *err)
{
	cleanup_free char *master_socket =
		haproxy_site_path(instance->site, &instance->id, HAPROXY_FILE_MASTER_SOCKET);
	cleanup_buf struct buf answer = BUF_INIT(STATE_MAX_BYTES);
	cleanup_buf struct buf state = BUF_INIT(STATE_MAX_BYTES);
	struct haproxy_servers servers;
	int r = haproxy_master_command(master_socket, worker, "show servers state", &answer, err);

	if (r < 0)
		return err_wrap(err, r, "saving the state of servers");
	haproxy_servers_parse(text, size_bytes, &servers);
	haproxy_server_state_carry(buf_text(&answer), &servers, &state);
	haproxy_servers_deinit(&servers);
	return state_store(instance, &state, err);
}

int haproxy_server_state_reset(const struct haproxy_instance *instance, struct err *err)
{
	cleanup_buf struct buf state = BUF_INIT(sizeof(header));

	buf_append_text(&state, header);
	return state_store(instance, &state, err);
}
