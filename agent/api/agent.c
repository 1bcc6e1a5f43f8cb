/* SPDX-License-Identifier: Apache-2.0 */
#include "api/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/file.h>

#include "api/companion.h"
#include "api/identity.h"
#include "api/route.h"
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "deploy/admission.h"
#include "deploy/recovery.h"
#include "deploy/site.h"
#include "deploy/vrrp_check.h"
#include "haproxy/launch.h"
#include "haproxy/own_config.h"
#include "haproxy/restore.h"
#include "haproxy/site.h"
#include "keepalived/process.h"
#include "keepalived/site.h"
#include "keepalived/vrrp.h"
#include "lvs/health_scripts.h"
#include "lvs/instance.h"
#include "net/namespace.h"
#include "net/site.h"
#include "render/peer_name.h"
#include "sys/http_server.h"
#include "sys/installation.h"
#include "sys/privilege.h"
#include "sys/service.h"
#include "sys/systemd.h"

enum { LOCK_TRIES = 60, LOCK_PAUSE_MS = 50 };

/* It gives udev 90 s, and systemd each of its commands TimeoutStartSec, two minutes. */
#define NAMESPACE_UNIT "amphora-netns.service"
enum { NAMESPACE_UNIT_TIMEOUT_MS = 240 * 1000 };

struct agent {
	int lock;                 /* held: we are the only agent of this runtime_dir */
	pthread_mutex_t rotation; /* guards settings; one exchange of them at a time */
	struct settings_sources sources;
	struct settings settings;
	struct address bound_host; /* what the API listens on, whatever settings say by now */
	uint16_t bound_port;
	enum service_manager_kind services_kind;
	char *unit_dir; /* where they are, if it is systemd's */
	struct service_manager *services;
	struct haproxy_site *site;
	struct keepalived_site *keepalived;
	struct lvs_site *lvs;
	struct net_site *net;
	struct deploy_site deploy;
	struct recovery *recovery;      /* until the data plane is restored */
	_Atomic enum topology topology; /* of settings, for the handlers */
	struct http_server *server;
	bool owns_companions; /* they end with us; not so those that an agent before us left */
};

DEFINE_CLEANUP(struct agent *, agent_free);

/*
 * One agent a runtime_dir: two would fight over the same HAProxys. The kernel drops the lock with
 * the process, however it ends.
 */
static int runtime_lock(const char *runtime_dir, int *ret_fd, struct err *err)
{
	cleanup_free char *path = xformat("%s/agent.lock", runtime_dir);
	cleanup_close int fd = -1;
	int r = directory_make(runtime_dir, 0755, err);

	if (r < 0)
		return r;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set_errno(err, -errno, "opening %s", path);
	/* A child that a killed predecessor was just starting has it open until its exec. */
	for (int tries = LOCK_TRIES; flock(fd, LOCK_EX | LOCK_NB) < 0; tries--) {
		if (tries == 1)
			return err_set(err, -EBUSY,
				"another agent uses runtime_dir %s: end it first, or give this one "
				"another",
				runtime_dir);
		clock_sleep_ms(LOCK_PAUSE_MS);
	}
	*ret_fd = take_fd(&fd);
	return 0;
}

static enum service_manager_kind service_manager_kind(const struct settings *settings)
{
	if (settings->service_manager != SERVICE_MANAGER_AUTO)
		return settings->service_manager;
	return systemd_booted() ? SERVICE_MANAGER_SYSTEMD : SERVICE_MANAGER_DIRECT;
}

static int service_manager_make(
	const struct settings *settings, struct service_manager **ret_services, struct err *err)
{
	if (service_manager_kind(settings) == SERVICE_MANAGER_DIRECT)
		return service_manager_new_direct(settings->runtime_dir, ret_services, err);
	*ret_services = service_manager_new_systemd(settings->unit_dir);
	return 0;
}

/* One that does not start is no reason to end: the API can still be asked why. */
static void companion_begin(struct agent *agent, const char *name)
{
	struct err err = ERR_NONE;

	if (companion_restart(agent->services, name, &agent->sources, &agent->settings, &err) < 0)
		log_error("%s", err.text);
}

/* There may be none, and one that an earlier agent left. */
static void prometheus_proxy_begin(struct agent *agent)
{
	if (agent->settings.prometheus_port != 0)
		companion_begin(agent, COMPANION_PROMETHEUS_PROXY);
	else
		companion_stop(agent->services, COMPANION_PROMETHEUS_PROXY);
}

static int agent_serve(struct agent *agent, struct err *err)
{
	cleanup_credentials struct tls_credentials *credentials = NULL;
	const struct http_server_options options = {
		.bind_address = agent->settings.bind_host,
		.bind_port = agent->settings.bind_port,
		.request_timeout_s = (int)agent->settings.agent_request_read_timeout_s,
		.handler = route_handle,
		.context = agent,
	};
	int r = identity_load(&agent->settings, NULL, 0, &credentials, err);

	if (r < 0)
		return r;
	r = http_server_new(&options, credentials, &agent->server, err);
	if (r < 0)
		return r;
	agent->bound_host = options.bind_address;
	agent->bound_port = options.bind_port;
	identity_log(credentials);
	return 0;
}

/* Without them checks of UDP members and PING monitors fail, which is no reason to end. */
static void health_scripts_renew(const char *base_path)
{
	struct err err = ERR_NONE;

	if (health_scripts_store(base_path, &err) < 0)
		log_error("the scripts of health monitors: %s", err.text);
}

static int agent_start(struct agent *agent, struct err *err)
{
	const struct settings *settings = &agent->settings;
	int r = runtime_lock(settings->runtime_dir, &agent->lock, err);

	if (r < 0)
		return r;
	agent->services_kind = service_manager_kind(settings);
	agent->unit_dir = xstrdup(settings->unit_dir);
	r = service_manager_make(settings, &agent->services, err);
	if (r < 0)
		return r;
	r = haproxy_site_new(settings, agent->services, &agent->site, err);
	if (r < 0)
		return r;
	r = haproxy_own_config_store(agent->site, err);
	if (r < 0)
		return r;
	r = keepalived_site_new(settings, agent->services, &agent->keepalived, err);
	if (r < 0)
		return r;
	r = lvs_site_new(agent->keepalived, &agent->lvs, err);
	if (r < 0)
		return r;
	health_scripts_renew(settings->base_path);
	r = net_site_new(settings, &agent->net, err);
	if (r < 0)
		return r;
	agent->deploy = (struct deploy_site){
		.haproxy = agent->site,
		.lvs = agent->lvs,
		.keepalived = agent->keepalived,
		.net = agent->net,
		.machine = machine_measure(settings->runtime_dir),
	};
	agent->recovery = recovery_begin(&agent->deploy);
	/* Answer first: a controller that finds nobody waits 5 s before it asks again. */
	return agent_serve(agent, err);
}

/*
 * A boot's own unit moves the interfaces in, once udev has found them all; we might come too early.
 * What it could not do is tried again by namespace_restore().
 */
static void namespace_unit_await(const struct agent *agent)
{
	struct err err = ERR_NONE;
	int r;

	if (agent->services_kind != SERVICE_MANAGER_SYSTEMD)
		return;
	r = systemd_job_run(SYSTEMD_JOB_START, NAMESPACE_UNIT, NAMESPACE_UNIT_TIMEOUT_MS, &err);
	if (r < 0 && r != -ENOENT)
		log_warning("%s; going on without it", err.text);
}

/* What ought to run runs; requests are served meanwhile. */
static void data_plane_restore(struct agent *agent)
{
	/* First what HAProxy and keepalived bind to. */
	namespace_unit_await(agent);
	namespace_restore(agent->net);
	recovery_finish(agent->recovery);
	agent->recovery = NULL;
	haproxy_restore_all(agent->site);
	admission_restore(&agent->deploy);
	lvs_restore(agent->lvs);
	vrrp_check_refresh(&agent->deploy);
	vrrp_restore(agent->keepalived);
}

int agent_new(struct settings_sources *sources, struct settings *settings, struct agent **ret_agent,
	struct err *err)
{
	CLEANUP(cleanup_agent_free) struct agent *agent = xcalloc(1, sizeof(*agent));
	int r;

	agent->lock = -1;
	pthread_mutex_init(&agent->rotation, NULL);
	agent->settings = *settings;
	agent->topology = settings->topology;
	agent->sources = *sources;
	/* Requests are served before we can exchange settings: those that want to, wait. */
	pthread_mutex_lock(&agent->rotation);
	r = agent_start(agent, err);
	if (r == 0)
		data_plane_restore(agent);
	agent->owns_companions = r == 0;
	if (r == 0) {
		/* Before systemd is asked to start what is ordered after us. */
		systemd_notify("READY=1");
		/* Only now: a heartbeat without what is still starting would be a harmful one. */
		companion_begin(agent, COMPANION_SENDER);
		prometheus_proxy_begin(agent);
	}
	pthread_mutex_unlock(&agent->rotation);
	if (r < 0) {
		/* They stay the caller's. */
		agent->settings = (struct settings){0};
		agent->sources = (struct settings_sources){0};
		return r;
	}
	*settings = (struct settings){0};
	*sources = (struct settings_sources){0};
	*ret_agent = take_ptr(agent);
	return 0;
}

void agent_free(struct agent *agent)
{
	if (!agent)
		return;
	if (agent->server)
		http_server_free(agent->server);
	if (agent->services) {
		if (agent->owns_companions) {
			companion_stop(agent->services, COMPANION_SENDER);
			companion_stop(agent->services, COMPANION_PROMETHEUS_PROXY);
		}
		recovery_abandon(agent->recovery);
		haproxy_site_free(agent->site);
		lvs_site_free(agent->lvs);
		keepalived_site_free(agent->keepalived);
		net_site_free(agent->net);
		service_manager_free(agent->services);
	}
	settings_deinit(&agent->settings);
	settings_sources_deinit(&agent->sources);
	free(agent->unit_dir);
	pthread_mutex_destroy(&agent->rotation);
	close_fd(agent->lock);
	free(agent);
}

/* What settings say of the world outside them; the identity is the caller's. */
static int settings_check(
	const struct settings *settings, struct tls_credentials **ret_credentials, struct err *err)
{
	cleanup_free char *templates = NULL;
	struct privilege_user user;
	int r = privilege_find_user(settings->user, &user, err);

	if (r < 0)
		return err_wrap(err, r, "[agent] user");
	r = installation_find_templates(settings->template_dir, &templates, err);
	if (r < 0)
		return r;
	return identity_load(settings, NULL, 0, ret_credentials, err);
}

int agent_check(const struct settings *settings, struct err *err)
{
	cleanup_credentials struct tls_credentials *credentials = NULL;

	return settings_check(settings, &credentials, err);
}

/* Whether the templates that new settings name are those in use. */
static bool has_same_templates(const struct agent *agent, const struct settings *new)
{
	cleanup_free char *templates = NULL;

	return installation_find_templates(new->template_dir, &templates, NULL) == 0 &&
	       text_equal(templates, agent->site->template_dir);
}

/*
 * Says what the running agent cannot take up. Whether the sender can: it must look where we do, and
 * speak for the same amphora.
 */
static bool fixed_settings_compare(const struct agent *agent, const struct settings *new)
{
	const struct haproxy_site *site = agent->site;
	cleanup_free char *peer_name = peer_name_of(&new->amphora_id);
	bool same_base_path = text_equal(new->base_path, site->base_path);
	bool same_amphora = text_equal(peer_name, site->peer_name);
	const struct {
		const char *key;
		bool same;
	} fixed[] = {
		{"bind_host", address_equal(&new->bind_host, &agent->bound_host)},
		{"bind_port", new->bind_port == agent->bound_port},
		{"base_path", same_base_path},
		{"base_cert_dir", text_equal(new->base_cert_dir, site->base_cert_dir)},
		{"haproxy_cmd", text_equal(new->haproxy_cmd, site->haproxy_cmd)},
		{"keepalived_cmd", text_equal(new->keepalived_cmd, agent->keepalived->command)},
		{"amphora_id", same_amphora},
		{"user_log_facility", new->user_log_facility == site->user_log_facility},
		{"administrative_log_facility",
			new->administrative_log_facility == site->administrative_log_facility},
		{"members_start_down", new->members_start_down == site->members_start_down},
		{"template_dir", has_same_templates(agent, new)},
		{"network_namespace", text_equal(new->network_namespace, site->network_namespace)},
		{"runtime_dir", text_equal(new->runtime_dir, site->runtime_dir)},
		{"service_manager", service_manager_kind(new) == agent->services_kind},
		{"unit_dir", text_equal(new->unit_dir, agent->unit_dir)},
	};

	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (!fixed[i].same)
			log_warning("new configuration: %s is stored, and waits for a restart of "
				    "the agent",
				fixed[i].key);
	return same_base_path && same_amphora;
}

/* Applies checked settings; takes them over. Rotation is locked. */
static void settings_apply(
	struct agent *agent, struct settings *new, struct tls_credentials *credentials)
{
	bool sender_can_follow = fixed_settings_compare(agent, new);

	settings_deinit(&agent->settings);
	agent->settings = *new;
	agent->topology = new->topology;
	*new = (struct settings){0};
	log_set_debug(agent->settings.debug);
	http_server_set_credentials(agent->server, credentials);
	http_server_set_request_timeout(
		agent->server, (int)agent->settings.agent_request_read_timeout_s);
	identity_log(credentials);
	if (sender_can_follow)
		companion_begin(agent, COMPANION_SENDER);
	else
		log_warning("new configuration: the heartbeats keep the old one until then");
	/* It must be where HAProxy is. */
	if (text_equal(agent->settings.network_namespace, agent->site->network_namespace))
		prometheus_proxy_begin(agent);
}

static int config_replace(struct agent *agent, const char *text, size_t size_bytes, struct err *err)
{
	cleanup_credentials struct tls_credentials *credentials = NULL;
	CLEANUP(settings_deinit) struct settings new = {0};
	const struct settings_sources *sources = &agent->sources;
	int r;

	if (sources->file_count == 0)
		return err_set(err, -EINVAL,
			"the agent was started without --config-file: there is none to replace");
	r = settings_load_with(sources, text, size_bytes, &new, err);
	if (r == 0)
		r = settings_check(&new, &credentials, err);
	if (r < 0)
		return r;
	r = file_replace(sources->files[sources->file_count - 1], text, size_bytes, 0600, err);
	if (r < 0)
		return r;
	settings_apply(agent, &new, credentials);
	return 0;
}

int agent_replace_config(struct agent *agent, const char *text, size_t size_bytes, struct err *err)
{
	int r;

	pthread_mutex_lock(&agent->rotation);
	r = config_replace(agent, text, size_bytes, err);
	pthread_mutex_unlock(&agent->rotation);
	return r;
}

static int config_reload(struct agent *agent, struct err *err)
{
	cleanup_credentials struct tls_credentials *credentials = NULL;
	CLEANUP(settings_deinit) struct settings new = {0};
	int r = settings_load(&agent->sources, &new, err);

	if (r == 0)
		r = settings_check(&new, &credentials, err);
	if (r < 0)
		return r;
	settings_apply(agent, &new, credentials);
	return 0;
}

int agent_reload_config(struct agent *agent, struct err *err)
{
	int r;

	pthread_mutex_lock(&agent->rotation);
	r = config_reload(agent, err);
	pthread_mutex_unlock(&agent->rotation);
	return r;
}

static int certificate_replace(
	struct agent *agent, const char *pem, size_t size_bytes, struct err *err)
{
	cleanup_credentials struct tls_credentials *credentials = NULL;
	int r = identity_load(&agent->settings, pem, size_bytes, &credentials, err);

	if (r < 0)
		return r;
	r = file_replace(agent->settings.agent_server_cert, pem, size_bytes, 0600, err);
	if (r < 0)
		return r;
	http_server_set_credentials(agent->server, credentials);
	identity_log(credentials);
	return 0;
}

int agent_replace_certificate(
	struct agent *agent, const char *pem, size_t size_bytes, struct err *err)
{
	int r;

	pthread_mutex_lock(&agent->rotation);
	r = certificate_replace(agent, pem, size_bytes, err);
	pthread_mutex_unlock(&agent->rotation);
	return r;
}

void agent_tidy(struct agent *agent)
{
	haproxy_launch_trim_outputs(agent->site);
	keepalived_process_trim_outputs(agent->keepalived);
}

uint16_t agent_port(const struct agent *agent)
{
	return http_server_port(agent->server);
}

struct haproxy_site *agent_haproxy(struct agent *agent)
{
	return agent->site;
}

const struct net_site *agent_net(struct agent *agent)
{
	return agent->net;
}

const struct keepalived_site *agent_keepalived(struct agent *agent)
{
	return agent->keepalived;
}

struct lvs_site *agent_lvs(struct agent *agent)
{
	return agent->lvs;
}

const struct deploy_site *agent_deploy(struct agent *agent)
{
	return &agent->deploy;
}

enum topology agent_topology(struct agent *agent)
{
	return agent->topology;
}
