/* SPDX-License-Identifier: Apache-2.0 */
#include "model/reader.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "model/duration.h"

/* Keys longer than this are no typo that a person would want to see quoted. */
enum { KEY_QUOTED_MAX = 255 };

/* What Octavia's API says of its objects, and what says nothing to an agent. */
static const char *const ignored_keys[] = {"availability_zone", "created_at", "description",
	"flavor_id", "healthmonitor_id", "listener_id", "operating_status", "port_id", "project_id",
	"provider", "provisioning_status", "subnet_id", "tags", "tenant_id", "updated_at",
	"vip_network_id", "vip_port_id", "vip_qos_policy_id", "vip_sg_ids", "vip_subnet_id",
	"vip_vnic_type", "vnic_type"};
/* The same, when they are lists of nothing but ids. */
static const char *const back_references[] = {"listeners", "loadbalancers", "pools"};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static bool is_one_of(const char *text, const char *const texts[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (text == texts[i] || text_equal(text, texts[i]))
			return true;
	return false;
}

const char *choice_name(const struct choice choices[], int value)
{
	while (choices->name && choices->value != value)
		choices++;
	assert(choices->name);
	return choices->name;
}

bool reader_init(struct reader *ret_reader, const json_t *document, struct faults *faults)
{
	*ret_reader = (struct reader){.object = document, .faults = faults};
	if (json_is_object(document))
		return true;
	reader_fault(ret_reader, NULL, "must be an object");
	return false;
}

const json_t *reader_value(struct reader *reader, const char *key)
{
	const json_t *value = json_object_get(reader->object, key);

	if (!is_one_of(key, reader->asked, reader->asked_count)) {
		assert(reader->asked_count < READER_KEYS_MAX);
		reader->asked[reader->asked_count++] = key;
		reader->found_count += value != NULL;
	}
	return json_is_null(value) ? NULL : value;
}

bool reader_has(struct reader *reader, const char *key)
{
	return reader_value(reader, key) != NULL;
}

/* null, false, "", "NONE", [] and {} are Octavia's ways to say that a thing is not used. */
static bool says_nothing(const json_t *value)
{
	const char *text = json_string_value(value);

	if (text)
		return text[0] == '\0' || text_equal(text, "NONE");
	return json_is_null(value) || json_is_false(value) ||
	       (json_is_array(value) && json_array_size(value) == 0) ||
	       (json_is_object(value) && json_object_size(value) == 0);
}

void reader_require(struct reader *reader, const char *const keys[])
{
	for (; *keys; keys++)
		if (!reader_has(reader, *keys))
			reader_fault(reader, *keys, "is required");
}

bool reader_says(struct reader *reader, const char *key)
{
	const json_t *value = reader_value(reader, key);

	return value && !says_nothing(value);
}

void reader_refuse(struct reader *reader, const struct refused_key refused[])
{
	for (; refused->key; refused++)
		if (reader_says(reader, refused->key))
			reader_fault(reader, refused->key, "%s", refused->why);
}

void reader_ignore(struct reader *reader, const struct refused_key ignored[])
{
	for (; ignored->key; ignored++)
		if (reader_says(reader, ignored->key))
			reader_warn(reader, ignored->key, "%s", ignored->why);
}

static bool has_control_character(const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++)
		if (*p < 0x20 || *p == 0x7f || (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0))
			return true;
	return false;
}

static size_t character_count(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += ((unsigned char)*text & 0xc0) != 0x80;
	return count;
}

/* The text that the value at place and key is, or NULL with a fault. */
static const char *text_of(struct faults *faults, const struct place *place, const char *key,
	const json_t *value, size_t max_characters)
{
	const char *text = json_string_value(value);

	if (!text)
		faults_add(faults, place, key, "must be a text");
	else if (has_control_character(text))
		faults_add(faults, place, key, "must not hold control characters");
	else if (character_count(text) > max_characters)
		faults_add(
			faults, place, key, "must be at most %zu characters long", max_characters);
	else
		return text;
	return NULL;
}

const char *reader_text(struct reader *reader, const char *key, size_t max_characters)
{
	const json_t *value = reader_value(reader, key);

	if (!value)
		return NULL;
	return text_of(reader->faults, &reader->place, key, value, max_characters);
}

char *reader_name(struct reader *reader)
{
	const char *name = reader_text(reader, "name", READER_NAME_MAX);

	return xstrdup(name ? name : "");
}

static bool check_range(struct reader *reader, const char *key, json_int_t value, json_int_t unit,
	long min, long max)
{
	if (value < (json_int_t)min * unit)
		reader_fault(reader, key, "must be at least %ld", min);
	else if (value > (json_int_t)max * unit)
		reader_fault(reader, key, "must be at most %ld", max);
	else
		return true;
	return false;
}

long reader_number(struct reader *reader, const char *key, long min, long max, long fallback)
{
	const json_t *value = reader_value(reader, key);

	if (!value)
		return fallback;
	if (!json_is_integer(value)) {
		reader_fault(reader, key, "must be an integer");
		return fallback;
	}
	if (!check_range(reader, key, json_integer_value(value), 1, min, max))
		return fallback;
	return (long)json_integer_value(value);
}

bool reader_flag(struct reader *reader, const char *key, bool fallback)
{
	const json_t *value = reader_value(reader, key);

	if (!value)
		return fallback;
	if (!json_is_boolean(value)) {
		reader_fault(reader, key, "must be true or false");
		return fallback;
	}
	return json_is_true(value);
}

static void fault_of_choice(struct reader *reader, const char *key, const struct choice choices[])
{
	char names[256] = "";
	size_t length = 0;

	for (; choices->name; choices++)
		if (choices->value != CHOICE_REFUSED && length < sizeof(names))
			length += (size_t)snprintf(names + length, sizeof(names) - length, "%s%s",
				length ? ", " : "", choices->name);
	reader_fault(reader, key, "must be one of %s", names);
}

int reader_choice(
	struct reader *reader, const char *key, const struct choice choices[], int fallback)
{
	const json_t *value = reader_value(reader, key);
	const char *name = json_string_value(value);

	if (!value)
		return fallback;
	for (const struct choice *choice = choices; name && choice->name; choice++) {
		if (!text_equal(choice->name, name))
			continue;
		if (choice->value != CHOICE_REFUSED)
			return choice->value;
		reader_fault(reader, key, "%s is not supported by amphorae", name);
		return fallback;
	}
	fault_of_choice(reader, key, choices);
	return fallback;
}

long reader_duration_ms(
	struct reader *reader, const char *key, long unit_ms, long min, long max, long fallback_ms)
{
	const json_t *value = reader_value(reader, key);
	int64_t duration_ms;

	if (!value)
		return fallback_ms;
	if (json_is_integer(value)) {
		if (!check_range(reader, key, json_integer_value(value), 1, min, max))
			return fallback_ms;
		return (long)json_integer_value(value) * unit_ms;
	}
	if (!json_is_string(value) || duration_parse(json_string_value(value), &duration_ms) < 0) {
		reader_fault(reader, key,
			"must be an integer number of %s, or a text such as "
			"\"1m30s\" or \"500ms\"",
			unit_ms == 1 ? "milliseconds" : "seconds");
		return fallback_ms;
	}
	if (!check_range(reader, key, duration_ms, unit_ms, min, max))
		return fallback_ms;
	return (long)duration_ms;
}

long reader_seconds(struct reader *reader, const char *key, long min, long max, long fallback)
{
	long duration_ms = reader_duration_ms(reader, key, 1000, min, max, fallback * 1000);

	if (duration_ms % 1000 == 0)
		return duration_ms / 1000;
	reader_fault(reader, key, "must be whole seconds");
	return fallback;
}

static bool is_host(const struct address *address)
{
	if (address->family == AF_INET6)
		return !IN6_IS_ADDR_UNSPECIFIED(&address->v6) &&
		       !IN6_IS_ADDR_MULTICAST(&address->v6);
	return address->v4.s_addr != htonl(INADDR_ANY) &&
	       !IN_MULTICAST(ntohl(address->v4.s_addr)) &&
	       address->v4.s_addr != htonl(INADDR_BROADCAST);
}

bool reader_address(struct reader *reader, const char *key, struct address *ret_address)
{
	const json_t *value = reader_value(reader, key);
	const char *text = json_string_value(value);
	struct address address;

	if (!value)
		return false;
	if (!text || address_parse(text, &address) < 0) {
		reader_fault(reader, key, "must be an IPv4 or IPv6 address");
		return false;
	}
	if (!is_host(&address)) {
		reader_fault(reader, key, "must be the address of one host");
		return false;
	}
	*ret_address = address;
	return true;
}

bool reader_id(struct reader *reader, const char *key, struct id *ret_id)
{
	const json_t *value = reader_value(reader, key);
	struct err err = ERR_NONE;

	if (!value)
		return false;
	if (!json_is_string(value))
		reader_fault(reader, key, "must be a text");
	else if (id_parse(json_string_value(value), json_string_length(value), key, ret_id, &err) ==
		 0)
		return true;
	else
		reader_fault(reader, key, "%s", err.text);
	return false;
}

bool reader_certificate(
	struct reader *reader, const char *key, struct certificate_name *ret_certificate)
{
	const char *text = reader_text(reader, key, CERTIFICATE_NAME_MAX);
	struct err err = ERR_NONE;

	if (!text || !text[0])
		return false;
	if (certificate_name_parse(text, strlen(text), ret_certificate, &err) == 0)
		return true;
	reader_fault(reader, key, "%s", err.text);
	return false;
}

bool reader_enter_object(struct reader *reader, const char *key, struct reader *ret_reader)
{
	const json_t *value = reader_value(reader, key);

	if (!value)
		return false;
	if (!json_is_object(value)) {
		reader_fault(reader, key, "must be an object");
		return false;
	}
	*ret_reader = (struct reader){.place = {.parent = &reader->place, .key = key},
		.object = value,
		.faults = reader->faults};
	return true;
}

bool reader_enter_list(struct reader *reader, const char *key, struct reader_list *ret_list)
{
	const json_t *value = reader_value(reader, key);

	if (!value)
		return false;
	if (!json_is_array(value)) {
		reader_fault(reader, key, "must be a list");
		return false;
	}
	*ret_list = (struct reader_list){.place = {.parent = &reader->place, .key = key},
		.array = value,
		.faults = reader->faults};
	return true;
}

size_t reader_list_size(const struct reader_list *list)
{
	return json_array_size(list->array);
}

bool reader_list_next(struct reader_list *list, struct reader *ret_reader)
{
	while (list->next < json_array_size(list->array)) {
		const json_t *element = json_array_get(list->array, list->next);

		*ret_reader =
			(struct reader){.place = {.parent = &list->place, .index = list->next++},
				.object = element,
				.faults = list->faults};
		if (json_is_object(element))
			return true;
		reader_fault(ret_reader, NULL, "must be an object");
	}
	return false;
}

bool reader_list_next_text(struct reader_list *list, size_t max_characters, const char **ret_text)
{
	while (list->next < json_array_size(list->array)) {
		struct place place = {.parent = &list->place, .index = list->next};
		const json_t *element = json_array_get(list->array, list->next++);
		const char *text = text_of(list->faults, &place, NULL, element, max_characters);

		if (!text)
			continue;
		*ret_text = text;
		return true;
	}
	return false;
}

bool reader_list_next_certificate(
	struct reader_list *list, struct certificate_name *ret_certificate)
{
	const char *text;

	while (reader_list_next_text(list, CERTIFICATE_NAME_MAX, &text)) {
		struct err err = ERR_NONE;

		if (certificate_name_parse(text, strlen(text), ret_certificate, &err) == 0)
			return true;
		reader_list_fault(list, "%s", err.text);
	}
	return false;
}

/* [{"id": …}, …] */
static bool is_list_of_ids(const json_t *value)
{
	const json_t *element;
	size_t index;

	json_array_foreach(value, index, element) if (json_object_size(element) != 1 ||
						      !json_object_get(element, "id")) return false;
	return json_is_array(value);
}

static void finish_key(struct reader *reader, const char *key, const json_t *value,
	const struct refused_key refused[])
{
	if (is_one_of(key, ignored_keys, COUNT_OF(ignored_keys)))
		return;
	if (is_one_of(key, back_references, COUNT_OF(back_references)) && is_list_of_ids(value))
		return;
	for (; refused && refused->key; refused++) {
		if (!text_equal(key, refused->key))
			continue;
		if (!says_nothing(value))
			reader_fault(reader, key, "%s", refused->why);
		return;
	}
	if (strlen(key) > KEY_QUOTED_MAX)
		reader_fault(reader, NULL, "has an unknown key of %zu bytes", strlen(key));
	else
		reader_fault(reader, key, "is no key of this object");
}

void reader_finish(struct reader *reader, const struct refused_key refused[])
{
	const char *key;
	json_t *value;

	/* The usual case: every key was read. */
	if (reader->found_count == json_object_size(reader->object))
		return;
	/* jansson's iterators take no const; this one changes nothing. */
	json_object_foreach((json_t *)(uintptr_t)reader->object, key,
		value) if (!is_one_of(key, reader->asked, reader->asked_count))
		finish_key(reader, key, value, refused);
}
