/* SPDX-License-Identifier: Apache-2.0 */
#include "api/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "api/route.h"
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "haproxy/launch.h"
#include "haproxy/own_config.h"
#include "haproxy/restore.h"
#include "haproxy/site.h"
#include "sys/http_server.h"
#include "sys/installation.h"
#include "sys/service.h"
#include "sys/tls_credentials.h"

enum {
	PEM_MAX_BYTES = MIB,
	HEARTBEAT_STOP_TIMEOUT_MS = 2000,
	LOCK_TRIES = 10,
	LOCK_PAUSE_MS = 50,
};

static const char heartbeat_service[] = "amphora-heartbeat";

struct agent {
	int lock;                 /* held: we are the only agent of this runtime_dir */
	pthread_mutex_t rotation; /* guards settings; one exchange of them at a time */
	struct settings_sources sources;
	struct settings settings;
	struct address bound_host; /* what the API listens on, whatever settings say by now */
	uint16_t bound_port;
	char *heartbeat_program;
	struct service_manager *services;
	struct haproxy_site *site;
	struct http_server *server;
	bool owns_sender; /* it ends with us; not so one that an agent before us left running */
};

DEFINE_CLEANUP(struct agent *, agent_free);
DEFINE_CLEANUP(struct tls_credentials *, tls_credentials_unref);
#define cleanup_credentials CLEANUP(cleanup_tls_credentials_unref)

/* The TLS identity that the settings name, with pem in place of the server's file unless NULL. */
static int credentials_load(const struct settings *settings, const char *pem, size_t pem_size_bytes,
	struct tls_credentials **ret_credentials, struct err *err)
{
	cleanup_buf struct buf server_pem = BUF_INIT(PEM_MAX_BYTES);
	cleanup_buf struct buf ca_pem = BUF_INIT(PEM_MAX_BYTES);
	enum tls_version min_version = settings->tls_1_3_only ? TLS_VERSION_1_3 : TLS_VERSION_1_2;
	int r = file_read(settings->agent_server_ca, &ca_pem, err);

	if (r < 0)
		return err_wrap(err, r, "[amphora_agent] agent_server_ca");
	if (pem)
		buf_append(&server_pem, pem, pem_size_bytes);
	else
		r = file_read(settings->agent_server_cert, &server_pem, err);
	if (r < 0)
		return err_wrap(err, r, "[amphora_agent] agent_server_cert");
	if (buf_error(&server_pem))
		return err_set(
			err, -EINVAL, "the certificate is larger than %d bytes", PEM_MAX_BYTES);
	return tls_credentials_new(buf_text(&server_pem), server_pem.size_bytes, buf_text(&ca_pem),
		ca_pem.size_bytes, min_version, ret_credentials, err);
}

static void credentials_log(const struct tls_credentials *credentials)
{
	int64_t left_s = tls_credentials_expires_s(credentials) - time(NULL);

	log_info("server certificate %s: expires in %lld days",
		tls_credentials_subject(credentials), (long long)(left_s / (24 * 60 * 60)));
}

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
	/* A predecessor that was killed while it started a child may hold it for an instant more.
	 */
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

static int service_manager_check(const struct settings *settings, struct err *err)
{
	if (settings->service_manager == SERVICE_MANAGER_SYSTEMD)
		return err_set(err, -EINVAL,
			"[agent] service_manager: systemd is not supported by this version; use "
			"direct");
	return 0;
}

static int service_manager_make(
	const struct settings *settings, struct service_manager **ret_services, struct err *err)
{
	bool booted_with_systemd = file_exists("/run/systemd/system");
	int r = service_manager_check(settings, err);

	if (r < 0)
		return r;
	if (settings->service_manager == SERVICE_MANAGER_AUTO && booted_with_systemd)
		log_warning("service_manager = auto: systemd is not supported by this version, "
			    "using direct");
	return service_manager_new_direct(settings->runtime_dir, ret_services, err);
}

/*
 * The sender gets our own sources, and replaces itself never: new settings mean a new sender, whose
 * counters on disk make that lossless (heartbeat.md).
 */
static const char **heartbeat_argv(const struct agent *agent)
{
	const struct settings_sources *sources = &agent->sources;
	const char **argv =
		xcalloc(2 * (sources->file_count + sources->dir_count) + 2, sizeof(*argv));
	size_t count = 0;

	argv[count++] = agent->heartbeat_program;
	for (size_t i = 0; i < sources->file_count; i++) {
		argv[count++] = "--config-file";
		argv[count++] = sources->files[i];
	}
	for (size_t i = 0; i < sources->dir_count; i++) {
		argv[count++] = "--config-dir";
		argv[count++] = sources->dirs[i];
	}
	return argv;
}

/*
 * Where the sender's log goes: to ours, unless that is a pipe, which would break under it, or keep
 * whoever reads it waiting, when we die and it lives on. NULL: to ours.
 */
static char *heartbeat_output(const struct settings *settings)
{
	struct stat status;

	if (fstat(STDERR_FILENO, &status) < 0 || !S_ISFIFO(status.st_mode))
		return NULL;
	return xformat("%s/%s.output", settings->runtime_dir, heartbeat_service);
}

/* Always anew: one that an earlier agent left may have other settings, or be of another version. */
static int heartbeat_restart(struct agent *agent, struct err *err)
{
	cleanup_free const char **argv = heartbeat_argv(agent);
	cleanup_free char *output = heartbeat_output(&agent->settings);
	const struct service_spec spec = {
		.name = heartbeat_service,
		.process = {.argv = argv, .output_path = output},
		.stop_signal = SIGTERM,
		.stop_timeout_ms = HEARTBEAT_STOP_TIMEOUT_MS,
	};

	return service_restart(agent->services, &spec, err);
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
	int r = credentials_load(&agent->settings, NULL, 0, &credentials, err);

	if (r < 0)
		return r;
	r = http_server_new(&options, credentials, &agent->server, err);
	if (r < 0)
		return r;
	agent->bound_host = options.bind_address;
	agent->bound_port = options.bind_port;
	credentials_log(credentials);
	return 0;
}

static int agent_start(struct agent *agent, struct err *err)
{
	const struct settings *settings = &agent->settings;
	int r = runtime_lock(settings->runtime_dir, &agent->lock, err);

	if (r < 0)
		return r;
	r = service_manager_make(settings, &agent->services, err);
	if (r < 0)
		return r;
	r = haproxy_site_new(settings, agent->services, &agent->site, err);
	if (r < 0)
		return r;
	r = haproxy_own_config_store(agent->site, err);
	if (r < 0)
		return r;
	/* Answer first: a controller that finds nobody waits 5 s before it asks again. */
	return agent_serve(agent, err);
}

int agent_new(struct settings_sources *sources, struct settings *settings, struct agent **ret_agent,
	struct err *err)
{
	CLEANUP(cleanup_agent_free) struct agent *agent = xcalloc(1, sizeof(*agent));
	struct err heartbeat_err = ERR_NONE;
	int r;

	agent->lock = -1;
	pthread_mutex_init(&agent->rotation, NULL);
	agent->settings = *settings;
	agent->sources = *sources;
	agent->heartbeat_program = installation_find_program(heartbeat_service);
	/* Requests are served before we can exchange settings: those that want to, wait. */
	pthread_mutex_lock(&agent->rotation);
	r = agent_start(agent, err);
	if (r == 0)
		haproxy_restore_all(agent->site);
	/* Only now: a heartbeat without what is still starting would be a harmful one. */
	agent->owns_sender = r == 0;
	if (r == 0 && heartbeat_restart(agent, &heartbeat_err) < 0)
		log_error("starting %s: %s", heartbeat_service, heartbeat_err.text);
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
		if (agent->owns_sender)
			service_stop(agent->services, heartbeat_service, NULL);
		haproxy_site_free(agent->site);
		service_manager_free(agent->services);
	}
	settings_deinit(&agent->settings);
	settings_sources_deinit(&agent->sources);
	free(agent->heartbeat_program);
	pthread_mutex_destroy(&agent->rotation);
	close_fd(agent->lock);
	free(agent);
}

int agent_check(const struct settings *settings, struct err *err)
{
	cleanup_credentials struct tls_credentials *credentials = NULL;
	cleanup_free char *templates = NULL;
	int r = service_manager_check(settings, err);

	if (r < 0)
		return r;
	r = credentials_load(settings, NULL, 0, &credentials, err);
	if (r < 0)
		return r;
	return installation_find_templates(settings->template_dir, &templates, err);
}

/* Whether the templates that new settings name are those in use. */
static bool has_same_templates(const struct agent *agent, const struct settings *new)
{
	cleanup_free char *templates = NULL;

	return installation_find_templates(new->template_dir, &templates, NULL) == 0 &&
	       text_equal(templates, agent->site->template_dir);
}

/* Says what the running agent cannot take up. Whether the sender can: it must look where we do. */
static bool fixed_settings_compare(const struct agent *agent, const struct settings *new)
{
	const struct haproxy_site *site = agent->site;
	cleanup_free char *peer_name = haproxy_peer_name(&new->amphora_id);
	const struct {
		const char *key;
		bool same;
	} fixed[] = {
		{"bind_host", address_equal(&new->bind_host, &agent->bound_host)},
		{"bind_port", new->bind_port == agent->bound_port},
		{"base_path", text_equal(new->base_path, site->base_path)},
		{"base_cert_dir", text_equal(new->base_cert_dir, site->base_cert_dir)},
		{"haproxy_cmd", text_equal(new->haproxy_cmd, site->haproxy_cmd)},
		{"amphora_id", text_equal(peer_name, site->peer_name)},
		{"user_log_facility", new->user_log_facility == site->user_log_facility},
		{"administrative_log_facility",
			new->administrative_log_facility == site->administrative_log_facility},
		{"template_dir", has_same_templates(agent, new)},
		{"network_namespace", text_equal(new->network_namespace, site->network_namespace)},
		{"runtime_dir", text_equal(new->runtime_dir, site->runtime_dir)},
	};

	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (!fixed[i].same)
			log_warning("new configuration: %s is stored, and waits for a restart of "
				    "the agent",
				fixed[i].key);
	return text_equal(new->base_path, site->base_path);
}

/* Applies checked settings; takes them over. Rotation is locked. */
static void settings_apply(
	struct agent *agent, struct settings *new, struct tls_credentials *credentials)
{
	bool sender_can_follow = fixed_settings_compare(agent, new);
	struct err err = ERR_NONE;

	settings_deinit(&agent->settings);
	agent->settings = *new;
	*new = (struct settings){0};
	log_set_debug(agent->settings.debug);
	http_server_set_credentials(agent->server, credentials);
	http_server_set_request_timeout(
		agent->server, (int)agent->settings.agent_request_read_timeout_s);
	credentials_log(credentials);
	if (!sender_can_follow)
		log_warning("new configuration: the heartbeats keep the old one until then");
	else if (heartbeat_restart(agent, &err) < 0)
		log_error("starting %s: %s", heartbeat_service, err.text);
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
		r = credentials_load(&new, NULL, 0, &credentials, err);
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
		r = credentials_load(&new, NULL, 0, &credentials, err);
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
	int r = credentials_load(&agent->settings, pem, size_bytes, &credentials, err);

	if (r < 0)
		return r;
	r = file_replace(agent->settings.agent_server_cert, pem, size_bytes, 0600, err);
	if (r < 0)
		return r;
	http_server_set_credentials(agent->server, credentials);
	credentials_log(credentials);
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
}

uint16_t agent_port(const struct agent *agent)
{
	return http_server_port(agent->server);
}

struct haproxy_site *agent_haproxy(struct agent *agent)
{
	return agent->site;
}
