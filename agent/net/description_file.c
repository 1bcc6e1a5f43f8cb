/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptions as files: the JSON form of octavia/amphorae/backends/utils/interface_file.py. */
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "net/description.h"

/* A thousand addresses and routes are a tenth of this. */
enum { FILE_MAX_BYTES = MIB };

DEFINE_CLEANUP(json_t *, json_decref);
DEFINE_CLEANUP(DIR *, closedir);
#define cleanup_json CLEANUP(cleanup_json_decref)

static const char *const type_names[] = {"vip", "backend", "lo"};

/* "10.0.0.0/8" of a route or rule; bits behind the prefix are dropped, as the Python agent does. */
static int network_parse(const char *text, struct cidr *ret_network)
{
	cleanup_free char *address_text = xmemdup_text(text, strcspn(text, "/"));
	const char *slash = strchr(text, '/');
	struct address address;
	uint64_t length;

	if (address_parse(address_text, &address) < 0)
		return -EINVAL;
	length = address_prefix_max(address.family);
	if (slash && text_parse_u64(slash + 1, 0, length, &length) < 0)
		return -EINVAL;
	*ret_network = cidr_network(&address, (unsigned)length);
	return 0;
}

/* A member that may be absent or null: 0, and *ret_has tells. */
static int optional_address(
	const json_t *object, const char *key, bool *ret_has, struct address *ret_address)
{
	const json_t *value = json_object_get(object, key);

	*ret_has = value && !json_is_null(value);
	if (!*ret_has)
		return 0;
	return json_is_string(value) ? address_parse(json_string_value(value), ret_address)
				     : -EINVAL;
}

static int optional_unsigned(
	const json_t *object, const char *key, unsigned fallback, unsigned max, unsigned *ret_value)
{
	const json_t *value = json_object_get(object, key);

	if (!value || json_is_null(value)) {
		*ret_value = fallback;
		return 0;
	}
	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
		json_integer_value(value) > (json_int_t)max)
		return -EINVAL;
	*ret_value = (unsigned)json_integer_value(value);
	return 0;
}

static int optional_bool(const json_t *object, const char *key, bool fallback, bool *ret_value)
{
	const json_t *value = json_object_get(object, key);

	if (value && !json_is_null(value) && !json_is_boolean(value))
		return -EINVAL;
	*ret_value = json_is_boolean(value) ? json_is_true(value) : fallback;
	return 0;
}

/* {"dhcp": true}, {"ipv6auto": true}, both, or a fixed address. */
static int address_read(const json_t *item, struct interface_description *description)
{
	struct described_address address;
	bool dhcp;
	bool slaac;
	bool has_address;
	int r = -EINVAL;

	if (!json_is_object(item) || optional_bool(item, "dhcp", false, &dhcp) < 0 ||
		optional_bool(item, "ipv6auto", false, &slaac) < 0 ||
		optional_bool(item, "octavia_owned", true, &address.is_ours) < 0)
		return -EINVAL;
	description->wants_dhcp |= dhcp;
	description->wants_slaac |= slaac;
	if (dhcp || slaac)
		return 0;
	r = optional_address(item, "address", &has_address, &address.address);
	if (r < 0 || !has_address)
		return -EINVAL;
	r = optional_unsigned(item, "prefixlen", address_prefix_max(address.address.family),
		address_prefix_max(address.address.family), &address.prefix_length);
	if (r == 0)
		description_add_address(description, &address);
	return r;
}

static int route_read(const json_t *item, struct interface_description *description)
{
	struct described_route route = {0};
	const char *destination = json_string_value(json_object_get(item, "dst"));
	const json_t *scope = json_object_get(item, "scope");
	int family;

	if (!destination || network_parse(destination, &route.destination) < 0 ||
		optional_address(item, "gateway", &route.has_gateway, &route.gateway) < 0 ||
		optional_address(item, "prefsrc", &route.has_source, &route.source) < 0 ||
		optional_unsigned(item, "table", ROUTE_TABLE_MAIN, UINT32_MAX, &route.table) < 0)
		return -EINVAL;
	family = route.destination.address.family;
	if ((route.has_gateway && route.gateway.family != family) ||
		(route.has_source && route.source.family != family))
		return -EINVAL;
	route.is_link_scope = json_is_string(scope) && text_equal(json_string_value(scope), "link");
	description_add_route(description, &route);
	return 0;
}

static int rule_read(const json_t *item, struct interface_description *description)
{
	struct described_rule rule;
	struct address source;
	unsigned length;
	bool has_source;

	if (optional_address(item, "src", &has_source, &source) < 0 || !has_source)
		return -EINVAL;
	if (optional_unsigned(item, "src_len", address_prefix_max(source.family),
		    address_prefix_max(source.family), &length) < 0 ||
		optional_unsigned(item, "table", ROUTE_TABLE_MAIN, UINT32_MAX, &rule.table) < 0)
		return -EINVAL;
	rule.source = cidr_network(&source, length);
	description_add_rule(description, &rule);
	return 0;
}

typedef int item_reader(const json_t *item, struct interface_description *description);

static int list_read(const json_t *root, const char *key, item_reader *reader,
	struct interface_description *description, struct err *err)
{
	const json_t *list = json_object_get(root, key);
	size_t i;
	json_t *item;

	if (!list || json_is_null(list))
		return 0;
	if (!json_is_array(list))
		return err_set(err, -EINVAL, "%s: not a list", key);
	json_array_foreach(list, i, item)
	{
		cleanup_free char *text = NULL;

		if (reader(item, description) == 0)
			continue;
		text = json_dumps(item, JSON_COMPACT | JSON_ENCODE_ANY);
		if (reader != route_read)
			return err_set(err, -EINVAL, "%s: entry %zu cannot be read: %.200s", key,
				i + 1, text ? text : "");
		log_warning("interface %s: a route that cannot be read is left out: %.200s",
			description->name, text ? text : "");
	}
	return 0;
}

static int type_read(const json_t *root, struct interface_description *description, struct err *err)
{
	const json_t *value = json_object_get(root, "if_type");

	if (!value || json_is_null(value)) {
		description->type = text_equal(description->name, "lo")     ? INTERFACE_LO
				    : text_equal(description->name, "eth1") ? INTERFACE_VIP
									    : INTERFACE_BACKEND;
		return 0;
	}
	for (size_t i = 0; json_is_string(value) && i < 3; i++)
		if (text_equal(type_names[i], json_string_value(value))) {
			description->type = (enum interface_type)i;
			return 0;
		}
	return err_set(err, -EINVAL, "if_type: must be \"vip\", \"backend\" or \"lo\"");
}

static int name_read(const json_t *root, const char *name,
	struct interface_description *description, struct err *err)
{
	const json_t *value = json_object_get(root, "name");

	if (!json_is_string(value) || !text_equal(json_string_value(value), name))
		return err_set(err, -EINVAL, "name: must be that of the file, \"%s\"", name);
	memcpy(description->name, name, strlen(name) + 1);
	return 0;
}

static int description_read(const json_t *root, const char *name,
	struct interface_description *description, struct err *err)
{
	int r;

	if (!json_is_object(root))
		return err_set(err, -EINVAL, "not a JSON object");
	r = name_read(root, name, description, err);
	if (r == 0)
		r = type_read(root, description, err);
	if (r == 0 && optional_unsigned(root, "mtu", 0, UINT16_MAX, &description->mtu_bytes) < 0)
		r = err_set(err, -EINVAL, "mtu: must be a number of bytes up to 65535");
	if (r == 0 && optional_bool(root, "is_sriov", false, &description->is_sriov) < 0)
		r = err_set(err, -EINVAL, "is_sriov: must be true or false");
	if (r == 0)
		r = list_read(root, "addresses", address_read, description, err);
	if (r == 0)
		r = list_read(root, "routes", route_read, description, err);
	if (r == 0)
		r = list_read(root, "rules", rule_read, description, err);
	return r;
}

int description_parse(const char *json, size_t size_bytes, const char *name,
	struct interface_description *ret_description, struct err *err)
{
	CLEANUP(description_deinit) struct interface_description description = {0};
	cleanup_json json_t *root = NULL;
	json_error_t error;
	int r;

	if (!description_name_is_valid(name))
		return err_set(err, -EINVAL, "'%s' is no name of an interface", name);
	root = json_loadb(json, size_bytes, 0, &error);
	if (!root)
		return err_set(err, -EINVAL, "line %d: %s", error.line, error.text);
	r = description_read(root, name, &description, err);
	if (r < 0)
		return r;
	*ret_description = description;
	description = (struct interface_description){0};
	return 0;
}

int description_load(const char *folder, const char *name,
	struct interface_description *ret_description, struct err *err)
{
	cleanup_buf struct buf text = BUF_INIT(FILE_MAX_BYTES);
	cleanup_free char *path = NULL;
	int r;

	if (!description_name_is_valid(name))
		return err_set(err, -EINVAL, "'%s' is no name of an interface", name);
	path = xformat("%s/%s.json", folder, name);
	r = file_read(path, &text, err);
	if (r < 0)
		return r;
	r = description_parse(buf_text(&text), text.size_bytes, name, ret_description, err);
	return r < 0 ? err_wrap(err, r, "%s", path) : 0;
}

static void set_address(json_t *object, const char *key, const struct address *address)
{
	char text[ADDRESS_TEXT_MAX];

	address_format(address, text);
	json_object_set_new(object, key, json_string(text));
}

static void set_cidr(json_t *object, const char *key, const struct cidr *cidr)
{
	char text[CIDR_TEXT_MAX];

	cidr_format(cidr, text);
	json_object_set_new(object, key, json_string(text));
}

/* As there: a VIP asks for each kind in an object of its own, a member's port in one. */
static void automatic_write(json_t *list, const struct interface_description *description)
{
	bool both = description->wants_dhcp && description->wants_slaac;

	if (both && description->type != INTERFACE_VIP) {
		json_array_append_new(list, json_pack("{s:b, s:b}", "dhcp", 1, "ipv6auto", 1));
		return;
	}
	if (description->wants_dhcp)
		json_array_append_new(list, json_pack("{s:b}", "dhcp", 1));
	if (description->wants_slaac)
		json_array_append_new(list, json_pack("{s:b}", "ipv6auto", 1));
}

static json_t *address_write(
	const struct described_address *address, const struct interface_description *description)
{
	json_t *item = json_object();
	bool is_host = address->prefix_length == address_prefix_max(address->address.family);

	set_address(item, "address", &address->address);
	json_object_set_new(item, "prefixlen", json_integer(address->prefix_length));
	/* The reference writes it for VIPs only; absent means true. */
	if (!address->is_ours || (is_host && description->type == INTERFACE_VIP))
		json_object_set_new(item, "octavia_owned", json_boolean(address->is_ours));
	return item;
}

static json_t *route_write(const struct described_route *route)
{
	json_t *item = json_object();

	set_cidr(item, "dst", &route->destination);
	if (route->has_gateway) {
		set_address(item, "gateway", &route->gateway);
		json_object_set_new(item, "flags", json_pack("[s]", "onlink"));
	}
	if (route->has_source)
		set_address(item, "prefsrc", &route->source);
	if (route->is_link_scope)
		json_object_set_new(item, "scope", json_string("link"));
	if (route->table != ROUTE_TABLE_MAIN)
		json_object_set_new(item, "table", json_integer(route->table));
	return item;
}

static json_t *rule_write(const struct described_rule *rule)
{
	json_t *item = json_object();

	set_address(item, "src", &rule->source.address);
	json_object_set_new(item, "src_len", json_integer(rule->source.prefix_length));
	json_object_set_new(item, "table", json_integer(rule->table));
	return item;
}

static json_t *description_write(const struct interface_description *description)
{
	json_t *addresses = json_array();
	json_t *routes = json_array();
	json_t *rules = json_array();
	json_t *root;

	automatic_write(addresses, description);
	for (size_t i = 0; i < description->address_count; i++)
		json_array_append_new(
			addresses, address_write(&description->addresses[i], description));
	for (size_t i = 0; i < description->route_count; i++)
		json_array_append_new(routes, route_write(&description->routes[i]));
	for (size_t i = 0; i < description->rule_count; i++)
		json_array_append_new(rules, rule_write(&description->rules[i]));
	/* Empty scripts: what the reference's do is ours to do (net/masquerade.h). */
	root = json_pack("{s:s, s:s, s:o, s:o, s:o, s:{s:[], s:[]}, s:b}", "name",
		description->name, "if_type", type_names[description->type], "addresses", addresses,
		"routes", routes, "rules", rules, "scripts", "up", "down", "is_sriov",
		(int)description->is_sriov);
	if (description->mtu_bytes > 0)
		json_object_set_new(root, "mtu", json_integer(description->mtu_bytes));
	return root;
}

char *description_format(const struct interface_description *description)
{
	cleanup_json json_t *root = description_write(description);
	char *text = json_dumps(root, JSON_INDENT(1));

	/* All of it is ours and short: only memory can be wanting. */
	if (!text)
		abort();
	return text;
}

int description_store(
	const char *folder, const struct interface_description *description, struct err *err)
{
	cleanup_free char *path = xformat("%s/%s.json", folder, description->name);
	cleanup_free char *text = description_format(description);
	int r = directory_make(folder, 0755, err);

	return r < 0 ? r : file_replace(path, text, strlen(text), 0644, err);
}

/* lo first: what listens on 127.0.0.1 needs no other. */
static int name_compare(const void *a, const void *b)
{
	const struct interface_name *left = a;
	const struct interface_name *right = b;

	if (text_equal(left->text, "lo") != text_equal(right->text, "lo"))
		return text_equal(left->text, "lo") ? -1 : 1;
	return strverscmp(left->text, right->text);
}

int description_names(
	const char *folder, struct interface_name **ret_names, size_t *ret_count, struct err *err)
{
	cleanup_free struct interface_name *names = NULL;
	CLEANUP(cleanup_closedir) DIR *directory = opendir(folder);
	size_t count = 0;

	if (!directory && errno != ENOENT)
		return err_set_errno(err, -errno, "reading folder %s", folder);
	for (struct dirent *entry; directory && (entry = readdir(directory));) {
		struct interface_name name;
		size_t size = strlen(entry->d_name);

		if (!text_ends_with(entry->d_name, ".json") || size - 5 >= sizeof(name.text))
			continue;
		memcpy(name.text, entry->d_name, size - 5);
		name.text[size - 5] = '\0';
		if (!description_name_is_valid(name.text))
			continue;
		names = xrealloc_array(names, count + 1, sizeof(*names));
		names[count++] = name;
	}
	if (count > 0)
		qsort(names, count, sizeof(*names), name_compare);
	*ret_names = take_ptr(names);
	*ret_count = count;
	return 0;
}
