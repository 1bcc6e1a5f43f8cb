/* SPDX-License-Identifier: Apache-2.0 */
#include "traffic/ledger.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "sys/procfs.h"
#include "traffic/traffic_json.h"

enum { LEDGER_MAX_BYTES = 16 * MIB };

struct entry {
	char *listener;
	struct account account;
	uint64_t sessions;
};

struct ledger {
	time_t since;
	struct procfs_boot_id boot;
	struct traffic retired;
	struct entry *entries;
	size_t count;
	char *stored; /* the file's text; NULL: there is none yet */
};

DEFINE_CLEANUP(json_t *, json_decref);

struct ledger *ledger_new(void)
{
	struct ledger *ledger = xcalloc(1, sizeof(*ledger));

	ledger->since = time(NULL);
	procfs_read_boot_id(&ledger->boot, NULL);
	return ledger;
}

static void entry_deinit(struct entry *entry)
{
	account_deinit(&entry->account);
	free(entry->listener);
}

void ledger_free(struct ledger *ledger)
{
	if (!ledger)
		return;
	for (size_t i = 0; i < ledger->count; i++)
		entry_deinit(&ledger->entries[i]);
	free(ledger->entries);
	free(ledger->stored);
	free(ledger);
}

/* A load balancer has a few listeners, seldom a hundred: no order is kept. */
static struct entry *entry_find(const struct ledger *ledger, const char *listener)
{
	for (size_t i = 0; i < ledger->count; i++)
		if (text_equal(ledger->entries[i].listener, listener))
			return &ledger->entries[i];
	return NULL;
}

static struct entry *entry_add(struct ledger *ledger, const char *listener)
{
	struct entry *entry;

	ledger->entries =
		xrealloc_array(ledger->entries, ledger->count + 1, sizeof(*ledger->entries));
	entry = &ledger->entries[ledger->count++];
	*entry = (struct entry){.listener = xstrdup(listener)};
	return entry;
}

static int account_parse(const json_t *json, struct account *account)
{
	json_t *sources = json_object_get(json, "sources");
	const char *name;
	json_t *counted;

	if (traffic_parse(json_object_get(json, "settled"), &account->settled) < 0 ||
		!json_is_object(sources))
		return -EINVAL;
	json_object_foreach(sources, name, counted)
	{
		struct traffic last;

		if (traffic_parse(counted, &last) < 0)
			return -EINVAL;
		account_read(account, name, &last);
	}
	return 0;
}

static bool has_ended(const void *context, const char *source)
{
	(void)context;
	(void)source;
	return true;
}

static int ledger_parse(const json_t *root, struct ledger *ledger)
{
	const json_t *since = json_object_get(root, "since");
	const char *boot = json_string_value(json_object_get(root, "boot"));
	json_t *listeners = json_object_get(root, "listeners");
	const char *name;
	json_t *json;

	if (!json_is_integer(since) || !boot || !json_is_object(listeners) ||
		traffic_parse(json_object_get(root, "retired"), &ledger->retired) < 0)
		return -EINVAL;
	ledger->since = (time_t)json_integer_value(since);
	json_object_foreach(listeners, name, json)
	{
		if (account_parse(json, &entry_add(ledger, name)->account) < 0)
			return -EINVAL;
	}
	/* What comes from the file is no reading of now; and no source outlives a boot. */
	ledger_settle(ledger, has_ended, NULL);
	if (!text_equal(boot, ledger->boot.text))
		ledger_settle(ledger, has_ended, NULL);
	return 0;
}

int ledger_load(const char *path, struct ledger **ret_ledger, struct err *err)
{
	cleanup_buf struct buf text = BUF_INIT(LEDGER_MAX_BYTES);
	cleanup_ledger struct ledger *ledger = ledger_new();
	CLEANUP(cleanup_json_decref) json_t *root = NULL;
	json_error_t fault = {.text = "this is no ledger"};
	int r = file_read(path, &text, err);

	if (r < 0)
		return r;
	root = json_loadb(buf_text(&text), text.size_bytes, JSON_REJECT_DUPLICATES, &fault);
	if (!root || ledger_parse(root, ledger) < 0)
		return err_set(err, -EINVAL, "reading %s: %s", path, fault.text);
	ledger->stored = buf_take_text(&text);
	*ret_ledger = take_ptr(ledger);
	return 0;
}

static json_t *account_json(const struct account *account)
{
	json_t *sources = json_object();

	for (size_t i = 0; i < account->source_count; i++)
		json_object_set_new(
			sources, account->sources[i].name, traffic_json(&account->sources[i].last));
	return json_pack(
		"{s:o, s:o}", "settled", traffic_json(&account->settled), "sources", sources);
}

/* The file's text; the caller frees it. */
static char *ledger_format(const struct ledger *ledger)
{
	json_t *listeners = json_object();
	CLEANUP(cleanup_json_decref) json_t *root = NULL;

	for (size_t i = 0; i < ledger->count; i++)
		json_object_set_new(listeners, ledger->entries[i].listener,
			account_json(&ledger->entries[i].account));
	root = json_pack("{s:I, s:s, s:o, s:o}", "since", (json_int_t)ledger->since, "boot",
		ledger->boot.text, "retired", traffic_json(&ledger->retired), "listeners",
		listeners);
	return json_dumps(root, JSON_COMPACT);
}

int ledger_store(struct ledger *ledger, const char *path, struct err *err)
{
	cleanup_free char *text = ledger_format(ledger);
	int r;

	if (ledger->stored && text_equal(text, ledger->stored))
		return 0;
	r = file_replace_nosync(path, text, strlen(text), 0644, err);
	if (r < 0)
		return r;
	free(ledger->stored);
	ledger->stored = take_ptr(text);
	return 0;
}

void ledger_read(struct ledger *ledger, const char *listener, const char *source,
	const struct traffic *now, uint64_t sessions)
{
	struct entry *entry = entry_find(ledger, listener);

	if (!entry)
		entry = entry_add(ledger, listener);
	account_read(&entry->account, source, now);
	entry->sessions += sessions;
}

void ledger_settle(struct ledger *ledger, account_is_gone *is_gone, const void *context)
{
	for (size_t i = 0; i < ledger->count; i++)
		account_settle(&ledger->entries[i].account, is_gone, context);
}

void ledger_retire(struct ledger *ledger, bool (*exists)(const void *context, const char *listener),
	const void *context)
{
	size_t kept = 0;

	for (size_t i = 0; i < ledger->count; i++) {
		struct entry entry = ledger->entries[i];

		if (entry.account.source_count > 0 || exists(context, entry.listener)) {
			ledger->entries[kept++] = entry;
			continue;
		}
		traffic_add(&ledger->retired, &entry.account.settled);
		entry_deinit(&entry);
	}
	ledger->count = kept;
}

time_t ledger_since(const struct ledger *ledger)
{
	return ledger->since;
}

void ledger_listener(const struct ledger *ledger, const char *listener, struct traffic *ret_traffic,
	uint64_t *ret_sessions)
{
	const struct entry *entry = entry_find(ledger, listener);

	*ret_traffic = entry ? account_total(&entry->account) : (struct traffic){0};
	*ret_sessions = entry ? entry->sessions : 0;
}

void ledger_total(const struct ledger *ledger, struct traffic *ret_traffic, uint64_t *ret_sessions)
{
	struct traffic total = ledger->retired;
	uint64_t sessions = 0;

	for (size_t i = 0; i < ledger->count; i++) {
		struct traffic one = account_total(&ledger->entries[i].account);

		traffic_add(&total, &one);
		sessions += ledger->entries[i].sessions;
	}
	*ret_traffic = total;
	*ret_sessions = sessions;
}
