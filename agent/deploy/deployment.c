/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/deployment.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "deploy/admission.h"
#include "deploy/belongings.h"
#include "deploy/certificate_lists.h"
#include "deploy/origin.h"
#include "deploy/part.h"
#include "deploy/transition.h"
#include "deploy/undo_log.h"
#include "haproxy/stored_model.h"
#include "keepalived/site.h"
#include "keepalived/vrrp.h"
#include "lvs/instance.h"
#include "sys/network_namespace.h"

/* Of each daemon that checks. */
enum { OUTPUT_MAX_BYTES = 64 * KIB };

static const struct amphora *amphora_find(
	const struct load_balancer *load_balancer, const struct id *id)
{
	for (size_t i = 0; i < load_balancer->amphora_count; i++)
		if (id_equal(&load_balancer->amphorae[i].id, id))
			return &load_balancer->amphorae[i];
	return NULL;
}

int deployment_init(struct deployment *deployment, const char *text, size_t size_bytes,
	const struct load_balancer *load_balancer, const struct id *amphora,
	struct faults *ret_faults)
{
	const struct place whole = {NULL};

	*deployment = (struct deployment){
		.text = text,
		.size_bytes = size_bytes,
		.load_balancer = load_balancer,
	};
	digest_md5_hex(text, size_bytes, deployment->etag);
	if (load_balancer->topology != TOPOLOGY_ACTIVE_STANDBY)
		return 0;
	deployment->amphora = amphora_find(load_balancer, amphora);
	if (deployment->amphora)
		return 0;
	faults_add(ret_faults, &whole, "amphorae",
		"there is no %s among them, the amphora that the model was sent to", amphora->text);
	return -EINVAL;
}

void deployment_result_deinit(struct deployment_result *result)
{
	changes_deinit(&result->changes);
	rendering_deinit(&result->rendering);
	buf_deinit(&result->output);
}

/*
 * Whose it is. What a model left behind whose load balancer is no more is nobody's; so is a VRRP
 * config that was uploaded: it is the amphora's.
 */
static bool owner_find(
	const struct deploy_site *site, const struct part *part, struct id *ret_owner)
{
	const struct buf *before = &part->before.text;

	if (origin_parse(buf_text(before), ret_owner))
		return haproxy_instance_exists(site->haproxy, ret_owner);
	return part->kind == &part_lvs &&
	       belongings_owner(buf_text(before), before->size_bytes, ret_owner);
}

/* One of another load balancer is not taken away from it. */
static int owner_check(const struct deploy_site *site, const struct part *part,
	const struct id *load_balancer, struct err *err)
{
	cleanup_free char *title = part_title(part);
	struct id owner;

	if (!owner_find(site, part, &owner) || id_equal(&owner, load_balancer))
		return 0;
	return err_set(err, -EBUSY, "%s is that of load balancer %s: delete that one first", title,
		owner.text);
}

/*
 * One that ought to be there, or, with text NULL, one that belongs to the load balancer and ought
 * not.
 */
static int listener_plan(const struct deploy_site *site, const struct id *load_balancer,
	const struct id *listener, const struct buf *text, struct parts *parts, struct err *err)
{
	int r = parts_add(parts, &part_lvs, site, listener, NULL, err);
	struct part *part = &parts->items[parts->count - 1];
	const struct buf *before = &part->before.text;

	if (r == 0 && text)
		r = owner_check(site, part, load_balancer, err);
	if (r < 0)
		return r;
	/* Somebody else's by now: it stays as it is. */
	if (!text && part->before.is_installed &&
		!belongings_names(buf_text(before), before->size_bytes, load_balancer))
		part_set_after(part, before, part->before.is_stopped);
	else
		part_set_after(part, text, false);
	return 0;
}

/* Those of the model and those that belong to its load balancer, by id. */
static int listeners_plan(const struct deploy_site *site, const struct id *load_balancer,
	const struct rendering *rendering, struct parts *parts, struct err *err)
{
	cleanup_free struct id *present = NULL;
	size_t present_count = 0;
	size_t i = 0;
	size_t j = 0;
	int r = belongings_listeners(site, load_balancer, &present, &present_count, err);

	while (r == 0 && (i < rendering->listener_count || j < present_count)) {
		const struct listener_rendering *wanted =
			i < rendering->listener_count ? &rendering->listeners[i] : NULL;
		const struct id *there = j < present_count ? &present[j] : NULL;
		int order = !wanted ? 1 : !there ? -1 : strcmp(wanted->id.text, there->text);

		i += order <= 0;
		j += order >= 0;
		r = listener_plan(site, load_balancer, order <= 0 ? &wanted->id : there,
			order <= 0 ? &wanted->text : NULL, parts, err);
	}
	return r;
}

/* keepalived would end over one that is not there, and the VIP would leave us. */
static int interface_check(
	const struct deploy_site *site, const struct amphora *amphora, struct err *err)
{
	cleanup_network_namespace struct network_namespace_stay stay = NETWORK_NAMESPACE_STAY_NONE;
	int r = network_namespace_enter(site->keepalived->network_namespace, &stay, err);

	if (r < 0 || if_nametoindex(amphora->vrrp_interface) > 0)
		return r;
	return err_set(err, -ENODEV, "VRRP: there is no interface %s: plug it first",
		amphora->vrrp_interface);
}

static int vrrp_plan(const struct deploy_site *site, const struct id *load_balancer,
	const struct rendering *rendering, struct parts *parts, struct err *err)
{
	struct part *part;
	int r;

	if (!rendering->has_vrrp && !belongings_has_vrrp(site, load_balancer))
		return 0;
	r = parts_add(parts, &part_vrrp, site, load_balancer, NULL, err);
	part = &parts->items[parts->count - 1];
	if (r == 0 && rendering->has_vrrp)
		r = owner_check(site, part, load_balancer, err);
	if (r == 0 && !rendering->has_vrrp &&
		!origin_is(buf_text(&part->before.text), load_balancer))
		part_set_after(part, part->before.is_installed ? &part->before.text : NULL,
			part->before.is_stopped);
	else if (r == 0)
		part_set_after(part, rendering->has_vrrp ? &rendering->vrrp : NULL, false);
	return r;
}

static int parts_plan(const struct deploy_site *site, struct haproxy_instance *instance,
	const struct deployment *deployment, const struct rendering *rendering,
	struct parts *ret_parts, struct err *err)
{
	int r = parts_add(ret_parts, &part_haproxy, site, &instance->id, instance, err);

	if (r < 0)
		return r;
	part_set_after(&ret_parts->items[0], &rendering->haproxy,
		!load_balancer_has_frontend(deployment->load_balancer));
	if (deployment->amphora)
		r = interface_check(site, deployment->amphora, err);
	if (r == 0)
		r = listeners_plan(site, &instance->id, rendering, ret_parts, err);
	if (r == 0)
		r = vrrp_plan(site, &instance->id, rendering, ret_parts, err);
	return r;
}

static void changes_find(const struct parts *parts, struct changes *changes)
{
	for (size_t i = 0; i < parts->count; i++) {
		const struct part *part = &parts->items[i];
		const char *before = buf_text(&part->before.text);
		const char *after = buf_text(&part->after.text);

		if (part->kind == &part_haproxy)
			changes_add_haproxy(changes, before, after);
		else if (part->kind == &part_lvs)
			changes_add_listener(changes, &part->id, before, after);
		else
			changes_add_vrrp(changes, before, after);
	}
}

/* HAProxy's words may stand alone, as those of the others may not: there are several. */
static int part_check(const struct part *part, struct buf *ret_output, struct err *err)
{
	cleanup_buf struct buf words = BUF_INIT(OUTPUT_MAX_BYTES);
	int r = part->kind->check(part, &part->after.text, &words, err);

	/* What others are content with would hide what went wrong. */
	if (r < 0)
		buf_clear(ret_output);
	if (r < 0 && r != -EBADMSG)
		return r;
	if (words.size_bytes && part->kind != &part_haproxy)
		buf_append_format(ret_output, "%s: ", err->text);
	buf_append(ret_output, buf_text(&words), words.size_bytes);
	return r;
}

/* *ret_refused: the part whose daemon did, after -EBADMSG. */
static int parts_check(const struct parts *parts, const struct part **ret_refused,
	struct buf *ret_output, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < parts->count; i++) {
		const struct part *part = &parts->items[i];

		*ret_refused = part;
		if (part->after.is_installed && part->changes)
			r = part_check(part, ret_output, err);
	}
	return r;
}

static int deployment_plan(const struct deploy_site *site, struct haproxy_instance *instance,
	const struct deployment *deployment, struct deployment_result *ret_result,
	struct parts *ret_parts, struct err *err)
{
	int r;

	*ret_result = (struct deployment_result){.output = BUF_INIT(OUTPUT_MAX_BYTES)};
	r = rendering_make(site, deployment->load_balancer, deployment->amphora, deployment->etag,
		&ret_result->rendering, err);
	if (r == 0)
		r = parts_plan(site, instance, deployment, &ret_result->rendering, ret_parts, err);
	if (r < 0)
		return r;
	changes_find(ret_parts, &ret_result->changes);
	return 0;
}

/* What both the configs of before and those that come allow. */
static int clients_narrow(
	const struct deploy_site *site, const struct rendering *rendering, struct err *err)
{
	cleanup_free const struct buf **texts =
		xcalloc(rendering->listener_count + 1, sizeof(*texts));

	for (size_t i = 0; i < rendering->listener_count; i++)
		texts[i] = &rendering->listeners[i].text;
	return admission_enforce_both(site, texts, rendering->listener_count, err);
}

/*
 * An HAProxy that was silent for so long would be again, and the request has to end. A keepalived
 * is waited for half as long.
 */
static const struct part *silent_part(const struct part *failed, int failure)
{
	return failed && failure == -ETIMEDOUT && failed->kind == &part_haproxy ? failed : NULL;
}

/* Steps 2 to 5. */
static int deployment_perform(const struct deploy_site *site, struct haproxy_instance *instance,
	const struct deployment *deployment, const struct parts *parts,
	struct deployment_result *result, struct err *err)
{
	const struct part *failed = NULL;
	int r = undo_log_store(site, &instance->id, parts, err);

	if (r < 0)
		return r;
	r = haproxy_stored_model_store(instance, &result->rendering.haproxy, deployment->text,
		deployment->size_bytes, err);
	if (r == 0)
		r = clients_narrow(site, &result->rendering, err);
	if (r == 0)
		r = transition_advance(parts, &result->applied, &failed, &result->output, err);
	if (r == 0)
		r = undo_log_remove(site, &instance->id, err);
	if (r == 0)
		return 0;
	transition_put_back(parts);
	transition_take_up_again(parts, silent_part(failed, r));
	/* What could not be put back now would not be wanted any more after the next request. */
	undo_log_remove(site, &instance->id, NULL);
	return r;
}

/* Step 1. *ret_lists: what that needed, to be removed when nothing is installed. */
static int deployment_check(struct haproxy_instance *instance, const struct deployment *deployment,
	const struct parts *parts, const struct part **ret_refused,
	struct certificate_lists *ret_lists, struct buf *ret_output, struct err *err)
{
	int r = certificate_lists_store(instance, deployment->load_balancer, ret_lists, err);

	return r < 0 ? r : parts_check(parts, ret_refused, ret_output, err);
}

int deployment_apply(const struct deploy_site *site, struct haproxy_instance *instance,
	const struct deployment *deployment, struct deployment_result *ret_result, struct err *err)
{
	cleanup_certificate_lists struct certificate_lists lists = {NULL};
	cleanup_parts struct parts parts = {NULL};
	const struct part *refused = NULL;
	int r = deployment_plan(site, instance, deployment, ret_result, &parts, err);

	if (r < 0)
		return r;
	r = deployment_check(
		instance, deployment, &parts, &refused, &lists, &ret_result->output, err);
	if (r == -EBADMSG && refused && refused->kind == &part_haproxy)
		haproxy_instance_keep_refused(
			instance, buf_text(&refused->after.text), refused->after.text.size_bytes);
	if (r == 0) {
		/* Warnings of the checks would hide what a reload has to say. */
		buf_clear(&ret_result->output);
		r = deployment_perform(site, instance, deployment, &parts, ret_result, err);
		if (r == 0)
			transition_finish(&parts);
		admission_refresh(site);
		/* Whichever config is installed now, its model stays. */
		haproxy_stored_model_prune(instance);
	}
	if (r < 0)
		certificate_lists_remove(instance, &lists);
	return r;
}

int deployment_preview(const struct deploy_site *site, struct haproxy_instance *instance,
	const struct deployment *deployment, struct deployment_result *ret_result, struct err *err)
{
	cleanup_certificate_lists struct certificate_lists lists = {NULL};
	cleanup_parts struct parts parts = {NULL};
	const struct part *refused = NULL;
	int r = deployment_plan(site, instance, deployment, ret_result, &parts, err);

	if (r < 0)
		return r;
	r = deployment_check(
		instance, deployment, &parts, &refused, &lists, &ret_result->output, err);
	if (r == 0)
		ret_result->applied = transition_predict(&parts);
	certificate_lists_remove(instance, &lists);
	return r;
}

int deployment_read(const struct deploy_site *site, const struct id *load_balancer,
	struct buf *ret_text, char ret_etag[static MD5_HEX_SIZE + 1],
	struct load_balancer **ret_load_balancer, struct err *err)
{
	cleanup_load_balancer struct load_balancer *model = NULL;
	cleanup_faults struct faults faults = {0};
	int r = haproxy_stored_model_read(site->haproxy, load_balancer, ret_text, ret_etag, err);

	if (r < 0)
		return r;
	load_balancer_parse(
		buf_text(ret_text), ret_text->size_bytes, load_balancer, &faults, &model, NULL);
	if (model && !belongings_are_rendered(site, model))
		return err_set(err, -ENODATA,
			"a listener or the VRRP configuration of load balancer %s was uploaded or "
			"deleted; it has no model until the next PUT of one",
			load_balancer->text);
	if (ret_load_balancer)
		*ret_load_balancer = take_ptr(model);
	return 0;
}

static int listeners_delete(
	const struct deploy_site *site, const struct id *load_balancer, struct err *err)
{
	cleanup_free struct id *ids = NULL;
	size_t count = 0;
	int r = belongings_listeners(site, load_balancer, &ids, &count, err);

	for (size_t i = 0; r == 0 && i < count; i++) {
		cleanup_lvs_instance struct lvs_instance *listener =
			lvs_instance_acquire(site->lvs, &ids[i]);

		r = lvs_instance_delete(listener, err);
	}
	return r;
}

int deployment_delete(
	const struct deploy_site *site, struct haproxy_instance *instance, struct err *err)
{
	int r = listeners_delete(site, &instance->id, err);

	if (r == 0 && belongings_has_vrrp(site, &instance->id)) {
		cleanup_vrrp struct vrrp *vrrp = vrrp_acquire(site->keepalived);

		r = vrrp_delete(vrrp, err);
	}
	admission_refresh(site);
	/* The last: until then there is a load balancer, whose deletion can be asked for again. */
	return r < 0 ? r : haproxy_instance_delete(instance, err);
}
