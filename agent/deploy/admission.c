/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/admission.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/scoped_lock.h"
#include "deploy/clients.h"
#include "keepalived/site.h"
#include "lvs/config.h"
#include "lvs/instance.h"
#include "lvs/site.h"
#include "net/client_filter.h"

/* Whoever looks last writes last. */
static pthread_mutex_t admission_mutex = PTHREAD_MUTEX_INITIALIZER;

/* What configs name. Lists of clients are those of several filters each. */
struct admission {
	struct client_filter *filters;
	size_t filter_count;
	struct cidr **lists;
	size_t list_count;
};

static void admission_deinit(struct admission *admission)
{
	for (size_t i = 0; i < admission->list_count; i++)
		free(admission->lists[i]);
	free(admission->lists);
	free(admission->filters);
}

static void filter_add(struct admission *admission, const struct client_filter *filter)
{
	admission->filters = xrealloc_array(
		admission->filters, admission->filter_count + 1, sizeof(*admission->filters));
	admission->filters[admission->filter_count++] = *filter;
}

static void config_add(struct admission *admission, const struct buf *text)
{
	cleanup_lvs_config struct lvs_config config = {0};
	struct cidr *clients;
	size_t count;

	clients_parse(buf_text(text), &clients, &count);
	if (count == 0)
		return;
	admission->lists = xrealloc_array(
		admission->lists, admission->list_count + 1, sizeof(*admission->lists));
	admission->lists[admission->list_count++] = clients;
	lvs_config_parse(buf_text(text), text->size_bytes, &config);
	for (size_t i = 0; i < config.virtual_server_count; i++)
		filter_add(
			admission, &(const struct client_filter){
					   .protocol = config.is_sctp ? IPPROTO_SCTP : IPPROTO_UDP,
					   .address = config.virtual_servers[i].address,
					   .port = config.virtual_servers[i].port,
					   .clients = clients,
					   .client_count = count,
				   });
}

static int installed_add(
	struct admission *admission, const struct deploy_site *site, struct err *err)
{
	cleanup_free struct id *ids = NULL;
	size_t count = 0;
	int r = lvs_listeners(lvs_site_base_path(site->lvs), &ids, &count, err);

	for (size_t i = 0; r == 0 && i < count; i++) {
		cleanup_buf struct buf text = BUF_INIT(LVS_CONFIG_MAX_BYTES);

		/* One that is deleted meanwhile names nobody. */
		if (lvs_instance_read(site->lvs, &ids[i], &text, NULL) == 0)
			config_add(admission, &text);
	}
	return r;
}

static char *record_path(const struct deploy_site *site)
{
	return xformat("%s/clients", site->keepalived->runtime_dir);
}

/* The record is there as long as the table may be. */
static int admission_apply(
	const struct deploy_site *site, const struct admission *admission, struct err *err)
{
	cleanup_free char *record = record_path(site);
	int r = 0;

	if (admission->filter_count == 0 && !file_exists(record))
		return 0;
	if (admission->filter_count > 0)
		r = file_replace_nosync(record, "", 0, 0644, err);
	if (r == 0)
		r = client_filter_replace(site->keepalived->network_namespace, admission->filters,
			admission->filter_count, err);
	if (r == 0 && admission->filter_count == 0)
		r = file_remove(record, err);
	return r;
}

int admission_enforce_both(const struct deploy_site *site, const struct buf *const *texts,
	size_t count, struct err *err)
{
	CLEANUP(admission_deinit) struct admission admission = {NULL};
	int r;

	scoped_lock(&admission_mutex);
	r = installed_add(&admission, site, err);
	for (size_t i = 0; i < count; i++)
		config_add(&admission, texts[i]);
	return r < 0 ? r : admission_apply(site, &admission, err);
}

int admission_enforce(const struct deploy_site *site, struct err *err)
{
	return admission_enforce_both(site, NULL, 0, err);
}

void admission_refresh(const struct deploy_site *site)
{
	cleanup_free char *record = record_path(site);
	struct err err = ERR_NONE;

	if (file_exists(record) && admission_enforce(site, &err) < 0)
		log_error("%s", err.text);
}

static bool has_clients(const struct deploy_site *site, const struct id *listener)
{
	cleanup_buf struct buf text = BUF_INIT(LVS_CONFIG_MAX_BYTES);
	cleanup_free struct cidr *clients = NULL;
	size_t count = 0;

	if (lvs_instance_read(site->lvs, listener, &text, NULL) == 0)
		clients_parse(buf_text(&text), &clients, &count);
	return count > 0;
}

/* Better closed than open to everybody. */
static void listeners_close(const struct deploy_site *site)
{
	cleanup_free struct id *ids = NULL;
	size_t count = 0;
	struct err err = ERR_NONE;

	if (lvs_listeners(lvs_site_base_path(site->lvs), &ids, &count, &err) < 0)
		log_error("%s", err.text);
	for (size_t i = 0; i < count; i++) {
		cleanup_lvs_instance struct lvs_instance *instance =
			lvs_instance_acquire(site->lvs, &ids[i]);
		enum lvs_applied applied;

		if (!has_clients(site, &ids[i]))
			continue;
		log_error(
			"listener %s is stopped: its allowed_cidrs are not in force", ids[i].text);
		if (lvs_instance_stop(instance, &applied, &err) < 0)
			log_error("%s", err.text);
	}
}

void admission_restore(const struct deploy_site *site)
{
	struct err err = ERR_NONE;

	if (admission_enforce(site, &err) == 0)
		return;
	log_error("%s", err.text);
	listeners_close(site);
}
