/* SPDX-License-Identifier: Apache-2.0 */
/*
 * amphora-interface up|down NAME|all: makes plugged interfaces what their descriptions say, or
 * undoes that, at boot or for a person. What POST plug does, with the same code; `up all` is what
 * the agent does when it starts. Runs in the agent's namespace or in that of HAProxy.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/text.h"
#include "conf/command_line.h"
#include "conf/settings.h"
#include "net/namespace.h"
#include "net/plugged_interfaces.h"

DEFINE_CLEANUP(struct net_site *, net_site_free);

/* Whether it was plugged, and so may still have to be moved into the namespace. */
static int find_plugged(const struct net_site *site, const char *name, bool *ret_is_plugged,
	struct mac *ret_mac, struct err *err)
{
	cleanup_free struct plugged_interface *interfaces = NULL;
	size_t count;
	int r = plugged_interfaces_load(site->plugged_interfaces_path, &interfaces, &count, err);

	*ret_is_plugged = false;
	for (size_t i = 0; r == 0 && i < count; i++) {
		if (!text_equal(interfaces[i].name, name))
			continue;
		*ret_is_plugged = true;
		*ret_mac = interfaces[i].mac;
	}
	return r;
}

static int up(const struct net_site *site, const char *name, struct err *err)
{
	CLEANUP(description_deinit) struct interface_description description = {0};
	bool is_plugged;
	struct mac mac;
	int r = description_load(site->interfaces_dir, name, &description, err);

	if (r == 0)
		r = find_plugged(site, name, &is_plugged, &mac, err);
	if (r == 0)
		r = namespace_ensure(site, err);
	if (r == 0 && is_plugged)
		r = namespace_take(site, &mac, name, err);
	return r < 0 ? r : namespace_interface_up(site, &description, NULL, err);
}

static int down(const struct net_site *site, const char *name, struct err *err)
{
	CLEANUP(description_deinit) struct interface_description description = {0};
	int r = description_load(site->interfaces_dir, name, &description, err);

	return r < 0 ? r : namespace_interface_down(site, &description, err);
}

/* An interface that is described but gone is down already, and all are without a namespace. */
static int down_all(const struct net_site *site, struct err *err)
{
	cleanup_free struct interface_name *names = NULL;
	size_t count;
	int result = 0;
	int r = description_names(site->interfaces_dir, &names, &count, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		struct err problem = ERR_NONE;

		r = down(site, names[i].text, &problem);
		if (r == 0 || r == -ENODEV || r == -ENOENT)
			continue;
		log_error("%s", problem.text);
		result = err_set(err, r, "not every interface is down");
	}
	return result;
}

static int run_locked(
	const struct settings *settings, bool is_up, const char *name, struct err *err)
{
	CLEANUP(cleanup_net_site_free) struct net_site *site = NULL;
	cleanup_net_lock int lock = -1;
	bool all = text_equal(name, "all");
	int r = net_site_new(settings, &site, err);

	if (r < 0)
		return r;
	if (is_up && all)
		return namespace_restore(site)
			       ? 0
			       : err_set(err, -EIO, "not everything could be done, see above");
	r = net_site_lock(site, &lock, err);
	if (r < 0)
		return r;
	if (all)
		return down_all(site, err);
	return is_up ? up(site, name, err) : down(site, name, err);
}

static int run(const struct settings *settings, bool is_up, const char *name)
{
	struct err err = ERR_NONE;

	umask(022);
	log_set_debug(settings->debug);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	if (run_locked(settings, is_up, name, &err) < 0) {
		log_error("%s", err.text);
		return STATUS_FAILED;
	}
	return STATUS_FINE;
}

int main(int argc, char **argv)
{
	static const struct command_line_use use = {
		.purpose =
			"Makes the interfaces of an Octavia amphora what their descriptions say.",
		.operands = "up|down NAME|all",
		.operand_count = 2,
		.has_default_configuration = true,
	};
	CLEANUP(settings_deinit) struct settings settings = {0};
	CLEANUP(command_line_deinit) struct command_line line = {0};
	int status;
	bool is_up;

	if (!command_line_parse(argc, argv, &use, &line, &settings, &status))
		return status;
	is_up = text_equal(line.operands[0], "up");
	if ((!is_up && !text_equal(line.operands[0], "down")) ||
		!description_name_is_valid(line.operands[1])) {
		fprintf(stderr,
			"amphora-interface: '%s %s': must be up or down, and an interface's name "
			"or all\n",
			line.operands[0], line.operands[1]);
		return STATUS_WRONG_USE;
	}
	return run(&settings, is_up, line.operands[1]);
}
