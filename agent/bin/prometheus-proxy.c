/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prometheus-proxy: the metrics of this amphora's HAProxy, and of its LVS listeners, under
 * Octavia's names, for the PROMETHEUS listeners that controllers render. Lives in the network
 * namespace of HAProxy, which it waits for. Stays in the foreground, logs to stderr.
 */
#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/condition.h"
#include "base/log.h"
#include "conf/command_line.h"
#include "conf/settings.h"
#include "prometheus/proxy.h"
#include "sys/network_namespace.h"
#include "sys/privilege.h"
#include "sys/stop_signal.h"

enum { ENTER_AGAIN_MS = 1000 };

/* What reading the LVS listeners takes above this goes back to the system at once. */
enum { MALLOC_KEPT_BYTES = 128 * KIB };

/* --check: whom we would become. */
static int check(const struct settings *settings, struct err *err)
{
	struct privilege_user user;

	return privilege_is_root() ? privilege_find_user(settings->user, &user, err) : 0;
}

/*
 * Moves us into the namespace, for good. 1: there; 0: asked to end before it appeared. While one is
 * being made its name is there, and no namespace (-ENXIO).
 */
static int network_namespace_wait(const char *name, int stop_fd, struct err *err)
{
	CLEANUP(condition_deinit) struct condition waiting = {0};
	struct pollfd stop = {.fd = stop_fd, .events = POLLIN};

	for (;;) {
		struct network_namespace_stay stay = NETWORK_NAMESPACE_STAY_NONE;
		int r = network_namespace_enter(name, &stay, err);

		if (r == 0) {
			close_fd(stay.home); /* there is no going back */
			return 1;
		}
		if (r != -ENOENT && r != -ENXIO)
			return r;
		condition_raise(&waiting, 0, "waiting for network namespace %s", name);
		if (poll(&stop, 1, ENTER_AGAIN_MS) < 0 && errno != EINTR)
			return err_set_errno(err, -errno, "waiting for network namespace %s", name);
		if (stop.revents)
			return 0;
	}
}

/*
 * Enters the namespace, then is no longer root, but for the capability without which the kernel's
 * IPVS answers nobody: LVS listeners may come later. The same results.
 */
static int become_resident(const struct settings *settings, int stop_fd, struct err *err)
{
	struct privilege_user user;
	int r;

	if (!privilege_is_root()) {
		log_info("not started as root: staying in the present network namespace");
		return 1;
	}
	r = privilege_find_user(settings->user, &user, err);
	if (r < 0)
		return r;
	r = network_namespace_wait(settings->network_namespace, stop_fd, err);
	if (r <= 0)
		return r;
	r = privilege_drop(&user, PRIVILEGE_CAPABILITY(CAP_NET_ADMIN), err);
	return r < 0 ? r : 1;
}

/* Forgets the settings, and their keys, before the first stranger connects. */
static int run(struct settings *settings, struct err *err)
{
	cleanup_free char *base_path = xstrdup(settings->base_path);
	const struct proxy_options options = {
		.port = settings->prometheus_port,
		.exporter_port = (in_port_t)settings->prometheus_exporter_port,
		.base_path = base_path,
		.timeouts = SCRAPE_TIMEOUTS,
	};
	cleanup_close int stop = stop_signal_open(err);
	int r;

	if (stop < 0)
		return stop;
	r = become_resident(settings, stop, err);
	settings_deinit(settings);
	return r <= 0 ? r : proxy_run(&options, stop, err);
}

static int serve(struct settings *settings)
{
	struct err err = ERR_NONE;

	mallopt(M_MMAP_THRESHOLD, MALLOC_KEPT_BYTES);
	mallopt(M_ARENA_MAX, 1);
	umask(022);
	log_set_debug(settings->debug);
	if (settings->prometheus_port == 0) {
		fprintf(stderr, "prometheus-proxy: [agent] prometheus_port is 0: there is to be no "
				"Prometheus proxy\n");
		return STATUS_WRONG_USE;
	}
	if (run(settings, &err) < 0) {
		log_error("ending: %s", err.text);
		return STATUS_FAILED;
	}
	log_info("ending as asked");
	return STATUS_FINE;
}

int main(int argc, char **argv)
{
	static const struct command_line_use use = {
		.purpose = "Serves the metrics of an Octavia amphora to Prometheus.",
		.check = check,
	};
	CLEANUP(settings_deinit) struct settings settings = {0};
	CLEANUP(command_line_deinit) struct command_line line = {0};
	int status;

	if (!command_line_parse(argc, argv, &use, &line, &settings, &status))
		return status;
	return serve(&settings);
}
