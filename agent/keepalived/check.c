/* SPDX-License-Identifier: Apache-2.0 */
#include "keepalived/check.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "sys/process.h"

enum { CHECK_TIMEOUT_MS = 20 * 1000, LOGGED_BYTES = 1000 };

/* What `keepalived --config-test` ends with, from 2.2 on (keepalived(8) has numbers of before). */
enum {
	STATUS_FINE = 0,
	STATUS_CANNOT_RUN = 4,
	STATUS_ERRORS = 5,
	/* A script without enable_script_security: every VRRP config of a controller. */
	STATUS_INSECURE_SCRIPT = 6,
};

/*
 * Complaints after which keepalived does not run. Its exit status does not tell: 6 hides 4, and
 * most of these count as errors that it can live with (5), while the VRRP process that meets them
 * ends with a permanent error. From vrrp_complete_init() and what it calls, and from the parser, of
 * keepalived 2.2 and 2.3. One that a later version words differently is found at the start.
 */
static const char *const fatal_complaints[] = {
	"the virtual router id must be set",
	"Unknown interface!",
	"No VIP specified; at least one is required",
	"Unicast instances must have unicast_src_ip or interface",
	"Unicast peers are not supported in strict mode",
	"Non link-local address required if interface omitted",
	"cannot use VMAC if no interface specified",
	"duplicate VRID conflict",
	" both use VRID ",
	"requires either an interface",
	"specified for linkbeat interface",
	"specified for up/down delay",
	"Unable to find configuration file",
	"Unable to read configuration file",
	/* It would run, with whatever is left of a file that was cut: refused all the same. */
	"missing '}'s or extra '{'s",
	"Extra '}' found",
};

static bool has_fatal_complaint(const char *output)
{
	for (size_t i = 0; i < sizeof(fatal_complaints) / sizeof(fatal_complaints[0]); i++)
		if (strstr(output, fatal_complaints[i]))
			return true;
	return false;
}

/*
 * An interface may come after the config that names it: the start will tell. keepalived looks no
 * further after that, and says nothing fatal before.
 */
static bool lacks_only_an_interface(const char *output)
{
	return strstr(output, "Non-existent interface specified in configuration");
}

/* 0, -EBADMSG, or -EIO for a status that is no judgement. */
static int output_judge(int status, const char *output)
{
	switch (status) {
	case STATUS_FINE:
	case STATUS_ERRORS:
	case STATUS_INSECURE_SCRIPT:
		return has_fatal_complaint(output) ? -EBADMSG : 0;
	case STATUS_CANNOT_RUN:
		return has_fatal_complaint(output) || !lacks_only_an_interface(output) ? -EBADMSG
										       : 0;
	default:
		/* One that ends in the middle of a broken file. */
		return has_fatal_complaint(output) ? -EBADMSG : -EIO;
	}
}

/* One line, whatever keepalived wrote. */
static void complaints_log(const char *what, struct buf *output)
{
	cleanup_free char *text = buf_take_text(output);

	text_repair_utf8(text);
	for (char *c = text; *c; c++)
		if (*c == '\n')
			*c = ';';
	if (text[0])
		log_info("%s: keepalived says: %.*s", what, LOGGED_BYTES, text);
}

int keepalived_check(const struct keepalived_site *site, const char *path, const char *what,
	struct buf *ret_output, struct err *err)
{
	const char *const argv[] = {site->command, "--config-test", "-f", path, NULL};
	const struct process_spec spec = {
		.argv = argv,
		.network_namespace = site->network_namespace,
	};
	int status;
	int r = process_run(&spec, CHECK_TIMEOUT_MS, ret_output, &status, err);

	if (r < 0)
		return err_wrap(err, r, "checking %s", what);
	r = output_judge(status, buf_text(ret_output));
	if (r == -EIO)
		return err_set(err, r, "checking %s: %s ended with status %d: %s", what,
			site->command, status, buf_text(ret_output));
	if (r < 0)
		return err_set(err, r,
			"checking %s: keepalived cannot run with it (exit status %d)", what,
			status);
	complaints_log(what, ret_output);
	return 0;
}
