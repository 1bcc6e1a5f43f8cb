/* SPDX-License-Identifier: Apache-2.0 */
#include "model/member.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "model/naming.h"
#include "model/reader.h"
#include "model/text_index.h"

/* "POOL/10.0.0.4/80" */
enum { IDENTITY_MAX = ID_SIZE_MAX + 1 + ADDRESS_TEXT_MAX + 6 };

/* Where clouds tell a machine its secrets (reserved_ips of Octavia's octavia/common/config.py). */
static const char metadata_address[] = "169.254.169.254";

static const char *const required_keys[] = {"address", "protocol_port", NULL};

/*
 * Address and port, which tell the members of one pool apart, and those of all pools with the
 * pool's id before them; false when something is at fault.
 */
static bool read_end(struct reader *reader, const struct id *pool_id,
	struct text_index *ends_of_pool, struct member *member,
	char ret_identity[static IDENTITY_MAX])
{
	char address[ADDRESS_TEXT_MAX];

	member->protocol_port = (in_port_t)reader_number(reader, "protocol_port", 1, UINT16_MAX, 0);
	if (!reader_address(reader, "address", &member->address) || member->protocol_port == 0)
		return false;
	address_format(&member->address, address);
	if (text_equal(address, metadata_address))
		reader_fault(reader, "address",
			"is the cloud's metadata service: members would show clients the amphora's "
			"secrets");
	snprintf(ret_identity, IDENTITY_MAX, "%s/%s/%u", pool_id->text, address,
		member->protocol_port);
	if (text_index_add(ends_of_pool, ret_identity, 0))
		return pool_id->text[0];
	reader_fault(reader, NULL, "has the same address and port as another member of this pool");
	return false;
}

static void read_monitor_end(struct reader *reader, struct member *member)
{
	reader_address(reader, "monitor_address", &member->monitor_address);
	member->monitor_port = (in_port_t)reader_number(reader, "monitor_port", 1, UINT16_MAX, 0);
}

void member_parse(struct reader *reader, struct naming *naming, const struct id *pool_id,
	enum pool_protocol pool_protocol, struct text_index *ends_of_pool,
	struct member *ret_member)
{
	char identity[IDENTITY_MAX];
	bool identified;

	*ret_member = (struct member){.name = reader_name(reader)};
	reader_require(reader, required_keys);
	identified = read_end(reader, pool_id, ends_of_pool, ret_member, identity);
	naming_read_id(
		naming, reader, NAMING_MEMBER, identified ? identity : NULL, &ret_member->id);
	ret_member->weight = (uint16_t)reader_number(
		reader, "weight", 0, MEMBER_WEIGHT_MAX, MEMBER_WEIGHT_DEFAULT);
	ret_member->admin_state_up = reader_flag(reader, "admin_state_up", true);
	ret_member->backup = reader_flag(reader, "backup", false);
	if (ret_member->backup && pool_protocol_is_lvs(pool_protocol))
		reader_warn(reader, "backup",
			"has no effect in UDP and SCTP pools: the member gets traffic at all "
			"times");
	read_monitor_end(reader, ret_member);
	reader_finish(reader, NULL);
}

void member_deinit(struct member *member)
{
	free(member->name);
}
