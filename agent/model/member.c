/* SPDX-License-Identifier: Apache-2.0 */
#include "model/member.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "model/naming.h"
#include "model/reader.h"
#include "model/text_index.h"

/* "10.0.0.4/80" */
enum { END_TEXT_MAX = ADDRESS_TEXT_MAX + 6 };

/* Where clouds tell a machine its secrets (reserved_ips of Octavia's octavia/common/config.py). */
static const char metadata_address[] = "169.254.169.254";

static const char *const required_keys[] = {"address", "protocol_port", NULL};

static const struct refused_key refused_keys[] = {{NULL, NULL}};

/* Address and port, which tell the members of one pool apart; false when something is at fault. */
static bool read_end(struct reader *reader, struct text_index *ends_of_pool, struct member *member,
	char ret_end[static END_TEXT_MAX])
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
	snprintf(ret_end, END_TEXT_MAX, "%s/%u", address, member->protocol_port);
	if (text_index_add(ends_of_pool, ret_end, 0))
		return true;
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
	char end[END_TEXT_MAX];
	char identity[ID_SIZE_MAX + 1 + END_TEXT_MAX];
	bool identified;

	*ret_member = (struct member){.name = reader_name(reader)};
	reader_require(reader, required_keys);
	identified = read_end(reader, ends_of_pool, ret_member, end) && pool_id->text[0];
	if (identified)
		snprintf(identity, sizeof(identity), "%s/%s", pool_id->text, end);
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
	reader_finish(reader, refused_keys);
}

void member_deinit(struct member *member)
{
	free(member->name);
}
