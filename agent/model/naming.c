/* SPDX-License-Identifier: Apache-2.0 */
#include "model/naming.h"

#include <nettle/sha1.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"

/*
 * The namespace of our name-based UUIDs (RFC 9562, version 5). Changing it, or what is hashed
 * below, gives every part without an id another one: HAProxy's servers would lose their state.
 */
static const uint8_t namespace[16] = {0x5d, 0x1b, 0x8a, 0x0e, 0x3c, 0x47, 0x4f, 0x62, 0x9b, 0x71,
	0x2e, 0x90, 0xd4, 0x6f, 0xa3, 0x58};

static const struct {
	const char *name;  /* what ids are derived from */
	const char *words; /* what a person reads */
} kinds[NAMING_KIND_COUNT] = {
	[NAMING_LISTENER] = {"listener", "listener"},
	[NAMING_POOL] = {"pool", "pool"},
	[NAMING_MEMBER] = {"member", "member"},
	[NAMING_HEALTH_MONITOR] = {"healthmonitor", "health monitor"},
	[NAMING_L7POLICY] = {"l7policy", "L7 policy"},
	[NAMING_L7RULE] = {"l7rule", "L7 rule"},
};

/* What HAProxy's statistics say instead of a server's name; a member called so could not be told
 * from its own pool. */
static const char *const reserved_member_ids[] = {"FRONTEND", "BACKEND"};

void naming_init(struct naming *ret_naming, const struct id *load_balancer_id)
{
	*ret_naming = (struct naming){.load_balancer_id = load_balancer_id};
}

void naming_deinit(struct naming *naming)
{
	for (size_t i = 0; i < NAMING_KIND_COUNT; i++)
		text_index_deinit(&naming->taken[i]);
}

static void format_uuid(const uint8_t bytes[static 16], struct id *ret_id)
{
	static const char digits[] = "0123456789abcdef";
	char *text = ret_id->text;

	for (size_t i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*text++ = '-';
		*text++ = digits[bytes[i] >> 4];
		*text++ = digits[bytes[i] & 0x0f];
	}
	*text = '\0';
}

/* The UUID of "LB/KIND/IDENTITY": no id and no kind holds a '/', so two names never read alike. */
static void derive_id(
	const char *load_balancer_id, const char *kind, const char *identity, struct id *ret_id)
{
	struct sha1_ctx context;
	uint8_t digest[SHA1_DIGEST_SIZE];

	sha1_init(&context);
	sha1_update(&context, sizeof(namespace), namespace);
	sha1_update(&context, strlen(load_balancer_id), (const uint8_t *)load_balancer_id);
	sha1_update(&context, 1, (const uint8_t *)"/");
	sha1_update(&context, strlen(kind), (const uint8_t *)kind);
	sha1_update(&context, 1, (const uint8_t *)"/");
	sha1_update(&context, strlen(identity), (const uint8_t *)identity);
	sha1_digest(&context, sizeof(digest), digest);
	digest[6] = (uint8_t)((digest[6] & 0x0f) | 0x50); /* version 5 */
	digest[8] = (uint8_t)((digest[8] & 0x3f) | 0x80); /* variant of RFC 9562 */
	format_uuid(digest, ret_id);
}

void naming_derive_load_balancer_id(const char *identity, struct id *ret_id)
{
	derive_id("", "loadbalancer", identity, ret_id);
}

/* Ids that are well formed and still would get a part lost among HAProxy's own. */
static bool is_usable(
	struct naming *naming, struct reader *reader, enum naming_kind kind, const struct id *id)
{
	if (kind == NAMING_LISTENER && id_equal(id, naming->load_balancer_id))
		reader_fault(reader, "id", "is the load balancer's own id");
	else if ((kind == NAMING_LISTENER || kind == NAMING_POOL) && strstr(id->text, "prometheus"))
		reader_fault(reader, "id",
			"must not hold the word 'prometheus': such proxies are left out of status "
			"and statistics");
	else if (kind == NAMING_MEMBER && (text_equal(id->text, reserved_member_ids[0]) ||
						  text_equal(id->text, reserved_member_ids[1])))
		reader_fault(reader, "id", "must not be '%s': HAProxy's statistics use that word",
			id->text);
	else if (kind == NAMING_L7RULE && text_equal_nocase(id->text, "or"))
		reader_fault(reader, "id", "must not be '%s': HAProxy's conditions use that word",
			id->text);
	else
		return true;
	return false;
}

void naming_read_id(struct naming *naming, struct reader *reader, enum naming_kind kind,
	const char *identity, struct id *ret_id)
{
	bool given = reader_has(reader, "id");

	*ret_id = (struct id){.text = ""};
	if (given && (!reader_id(reader, "id", ret_id) || !is_usable(naming, reader, kind, ret_id)))
		return;
	if (!given && !identity)
		return;
	if (!given)
		derive_id(naming->load_balancer_id->text, kinds[kind].name, identity, ret_id);
	if (text_index_add(&naming->taken[kind], ret_id->text, 0))
		return;
	if (given)
		reader_fault(reader, "id", "is the id of another %s already", kinds[kind].words);
	else
		reader_fault(reader, NULL,
			"needs an id: the one derived for it is that of another %s already",
			kinds[kind].words);
	/* Nor can ids of its own parts be derived from it. */
	*ret_id = (struct id){.text = ""};
}
