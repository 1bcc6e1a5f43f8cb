/* SPDX-License-Identifier: Apache-2.0 */
#include "model/vrrp_group.h"

#include <ctype.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "model/keepalived_word.h"
#include "model/reader.h"

enum { AMPHORA_COUNT = 2, GROUP_NAME_MAX = 64 };
/* keepalived cuts longer ones off. */
enum { AUTH_PASS_MAX = 8 };
/* Of VRRP itself. */
enum { PRIORITY_MAX = 255, ROUTER_ID_MAX = 255, ADVERT_INT_MAX = 255 };
/* Octavia's: the first amphora is what it calls the MASTER. */
enum { PRIORITY_FIRST = 100, PRIORITY_SECOND = 90, ROUTER_ID_DEFAULT = 1, ADVERT_INT_DEFAULT = 1 };

/* Where the agent plugs VIPs (net/plug.h). */
static const char default_interface[] = "eth1";

/* value is the index. */
static const struct choice auth_types[] = {{"PASS", 0}, {"AH", 1}, {NULL, 0}};

static const char *const required_of_amphora[] = {"id", "vrrp_ip", NULL};
static const char *const required_of_group[] = {"auth_pass", NULL};

/* Whether it consists of letters, digits and some of these others. */
static bool is_word(const char *text, const char *others)
{
	if (!text[0])
		return false;
	for (; *text; text++)
		if (!isascii(*text) || (!isalnum((unsigned char)*text) && !strchr(others, *text)))
			return false;
	return true;
}

static char *read_interface(struct reader *reader)
{
	const char *name = reader_text(reader, "vrrp_interface", READER_NAME_MAX);

	if (name && (!is_word(name, "_.-") || strlen(name) >= IFNAMSIZ || text_equal(name, ".") ||
			    text_equal(name, "..")))
		reader_fault(reader, "vrrp_interface",
			"must be the name of an interface: 1 to %d letters, digits, '_', '.' and "
			"'-'",
			IFNAMSIZ - 1);
	return xstrdup(name ? name : default_interface);
}

static void read_amphora(struct reader *reader, size_t index, struct amphora *amphora)
{
	reader_require(reader, required_of_amphora);
	reader_id(reader, "id", &amphora->id);
	reader_address(reader, "vrrp_ip", &amphora->vrrp_ip);
	amphora->vrrp_priority = (unsigned)reader_number(reader, "vrrp_priority", 1, PRIORITY_MAX,
		index == 0 ? PRIORITY_FIRST : PRIORITY_SECOND);
	amphora->vrrp_interface = read_interface(reader);
}

static void check_not_vip(
	struct reader *reader, const struct amphora *amphora, const struct vip *vips, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (amphora->vrrp_ip.family != 0 &&
			address_equal(&vips[i].address, &amphora->vrrp_ip))
			reader_fault(reader, "vrrp_ip",
				"is a VIP: an amphora needs an address of its own");
}

/* What tells an amphora from the one before it. */
static void check_pair(
	struct reader *reader, const struct amphora *first, const struct amphora *second)
{
	if (second->id.text[0] && id_equal(&first->id, &second->id))
		reader_fault(reader, "id", "is the id of the other amphora already");
	if (first->vrrp_ip.family == 0 || second->vrrp_ip.family == 0)
		return;
	if (first->vrrp_ip.family != second->vrrp_ip.family)
		reader_fault(reader, "vrrp_ip",
			"must be of the same family as the other amphora's: they speak to each "
			"other");
	else if (address_equal(&first->vrrp_ip, &second->vrrp_ip))
		reader_fault(reader, "vrrp_ip", "is the other amphora's already");
}

void amphorae_parse(struct reader_list *list, const struct vip *vips, size_t vip_count,
	struct amphora **ret_amphorae, size_t *ret_count)
{
	struct amphora *amphorae = xcalloc(reader_list_size(list), sizeof(*amphorae));
	struct reader reader;
	size_t count = 0;

	if (reader_list_size(list) != AMPHORA_COUNT)
		faults_add(list->faults, &list->place, NULL, "must be the %d amphorae of a pair",
			AMPHORA_COUNT);
	while (reader_list_next(list, &reader)) {
		read_amphora(&reader, count, &amphorae[count]);
		check_not_vip(&reader, &amphorae[count], vips, vip_count);
		if (count > 0)
			check_pair(&reader, &amphorae[count - 1], &amphorae[count]);
		reader_finish(&reader, NULL);
		count++;
	}
	*ret_amphorae = amphorae;
	*ret_count = count;
}

void amphora_deinit(struct amphora *amphora)
{
	free(amphora->vrrp_interface);
}

static char *without_dashes(const char *text)
{
	char *copy = xstrdup(text);
	char *end = copy;

	for (const char *p = text; *p; p++)
		if (*p != '-')
			*end++ = *p;
	*end = '\0';
	return copy;
}

static char *read_group_name(struct reader *reader, const struct id *load_balancer_id)
{
	const char *name = reader_text(reader, "group_name", GROUP_NAME_MAX);

	if (!name)
		return without_dashes(load_balancer_id->text);
	if (!is_word(name, "_.-"))
		reader_fault(reader, "group_name", "must be letters, digits, '_', '.' and '-'");
	return xstrdup(name);
}

static bool is_printable(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return true;
}

/* What is at fault with it is said without it. */
static char *read_auth_pass(struct reader *reader)
{
	const char *pass = reader_text(reader, "auth_pass", READER_NAME_MAX);
	const char *fault = pass ? keepalived_word_fault(pass) : NULL;

	if (pass && (!pass[0] || strlen(pass) > AUTH_PASS_MAX || !is_printable(pass)))
		reader_fault(reader, "auth_pass",
			"must be 1 to %d printable characters of ASCII, none of them a space: "
			"keepalived takes no more",
			AUTH_PASS_MAX);
	else if (fault)
		reader_fault(reader, "auth_pass", "%s", fault);
	return xstrdup(pass ? pass : "");
}

void vrrp_group_parse(
	struct reader *reader, const struct id *load_balancer_id, struct vrrp_group *ret_group)
{
	*ret_group = (struct vrrp_group){
		.group_name = read_group_name(reader, load_balancer_id),
		.auth_type =
			choice_name(auth_types, reader_choice(reader, "auth_type", auth_types, 0)),
	};
	reader_require(reader, required_of_group);
	ret_group->auth_pass = read_auth_pass(reader);
	ret_group->virtual_router_id = (unsigned)reader_number(
		reader, "virtual_router_id", 1, ROUTER_ID_MAX, ROUTER_ID_DEFAULT);
	ret_group->advert_int_s = (unsigned)reader_seconds(
		reader, "advert_int", 1, ADVERT_INT_MAX, ADVERT_INT_DEFAULT);
	reader_finish(reader, NULL);
}

void vrrp_group_deinit(struct vrrp_group *group)
{
	free(group->group_name);
	free(group->auth_pass);
}
