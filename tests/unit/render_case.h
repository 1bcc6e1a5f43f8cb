/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests of rendered haproxy.cfgs: models become text, and the real HAProxy has its say on each.
 * PEM files that models may name lie in a folder of the test's own: a.pem, b.pem (certificate and
 * key), ca.pem, crl.pem. HAPROXY names another HAProxy than the one in PATH. Include it behind
 * cmocka.h, and run the tests with render_setup and render_teardown.
 */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "model_case.h"
#include "render/haproxy_cfg.h"
#include "sys/process.h"

static char render_folder[64];
static struct haproxy_cfg_options options;

/* Of the amphora 795b929e-9a9a-40fd-aa7b-5bf55eb561a4, who we are in a pair. */
#define RENDER_PEER_NAME "6sTrGE2ewyOnTDapDawlmuwvp0U"

enum { CHILD_TIMEOUT_MS = 20 * 1000 };

static inline void run(const char *const argv[])
{
	const struct process_spec spec = {.argv = argv};
	cleanup_buf struct buf output = BUF_INIT(64 * KIB);
	int status = -1;

	if (process_run(&spec, CHILD_TIMEOUT_MS, &output, &status, NULL) < 0 || status != 0)
		fail_msg("%s ended with %d:\n%s", argv[0], status, buf_text(&output));
}

/* In CERTS/lb. */
static inline char *pem_path(const char *name)
{
	return xformat("%s/certs/lb/%s", render_folder, name);
}

static inline void pem_write(const char *name, const char *text)
{
	cleanup_free char *path = pem_path(name);

	assert_int_equal(file_replace(path, text, strlen(text), 0600, NULL), 0);
}

static inline void certificate_make(const char *name)
{
	cleanup_free char *path = pem_path(name);
	const char *const argv[] = {"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
		"ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=www.example.org", "-days", "2",
		"-keyout", path, "-out", path, NULL};

	run(argv);
}

static inline void crl_make(void)
{
	cleanup_free char *ca = pem_path("ca.pem"), *crl = pem_path("crl.pem"),
			  *config = pem_path("openssl.cnf"), *database = pem_path("index");
	cleanup_free char *config_text = xformat("[ca]\ndefault_ca = ours\n[ours]\ndatabase = %s\n"
						 "default_md = sha256\ndefault_crl_days = 2\n",
		database);
	const char *const argv[] = {"openssl", "ca", "-config", config, "-gencrl", "-keyfile", ca,
		"-cert", ca, "-out", crl, NULL};

	pem_write("openssl.cnf", config_text);
	pem_write("index", "");
	run(argv);
}

static inline int render_setup(void **state)
{
	cleanup_free char *certificates = NULL;

	(void)state;
	snprintf(render_folder, sizeof(render_folder), "/tmp/render-test.XXXXXX");
	if (!mkdtemp(render_folder))
		return -1;
	options = (struct haproxy_cfg_options){
		.template_dir = "templates",
		.base_path = "/var/lib/octavia",
		.base_cert_dir = xformat("%s/certs", render_folder),
		.model_etag = "0123456789abcdef0123456789abcdef",
		.log_socket = RENDER_LOG_SOCKET,
		.user_log_facility = 0,
		.administrative_log_facility = 1,
		.stick_table_size = RENDER_STICK_TABLE_SIZE,
		.prometheus_port = RENDER_PROMETHEUS_PORT,
		.prometheus_exporter_port = RENDER_PROMETHEUS_EXPORTER_PORT,
	};
	certificates = pem_path("");
	if (directory_make(certificates, 0700, NULL) < 0)
		return -1;
	certificate_make("a.pem");
	certificate_make("b.pem");
	certificate_make("ca.pem");
	crl_make();
	return 0;
}

static inline int render_teardown(void **state)
{
	(void)state;
	free((char *)options.base_cert_dir);
	return directory_remove(render_folder, NULL);
}

/* But for the state of servers, which nobody has saved. */
static inline bool has_warning(char *output)
{
	char *line;

	while ((line = strsep(&output, "\n")))
		if (strstr(line, "[WARNING]") && !strstr(line, "server state file"))
			return true;
	return false;
}

/* HAProxy would start with it, and has nothing to warn of. */
static inline void assert_haproxy_takes(const char *text)
{
	const char *haproxy = getenv("HAPROXY");
	cleanup_free char *path = xformat("%s/haproxy.cfg", render_folder);
	const char *const argv[] = {
		haproxy ? haproxy : "haproxy", "-c", "-L", RENDER_PEER_NAME, "-f", path, NULL};
	const struct process_spec spec = {.argv = argv};
	cleanup_buf struct buf output = BUF_INIT(64 * KIB);
	cleanup_free char *words = NULL;
	int status = -1;

	assert_int_equal(file_replace(path, text, strlen(text), 0600, NULL), 0);
	assert_int_equal(process_run(&spec, CHILD_TIMEOUT_MS, &output, &status, NULL), 0);
	words = xstrdup(buf_text(&output));
	if (status != 0 || has_warning(words))
		fail_msg("HAProxy says:\n%s\nof:\n%s", buf_text(&output), text);
}

/* The text of a model that is taken, without HAProxy's opinion; the caller frees. */
static inline char *render_unchecked(const char *text)
{
	cleanup_model struct model_case model = model_parse(text);
	cleanup_buf struct buf rendered = BUF_INIT(16 * MIB);
	cleanup_free char *faults = fault_lines(&model.faults.errors);

	assert_string_equal(faults, "");
	assert_int_equal(render_haproxy_cfg(model.load_balancer, &options, &rendered, NULL), 0);
	return buf_take_text(&rendered);
}

static inline char *render(const char *text)
{
	char *rendered = render_unchecked(text);

	assert_haproxy_takes(rendered);
	return rendered;
}

/* The whole line stands in the text; the folder of PEM files is written "PEM". */
static inline void assert_holds(const char *text, const char *line)
{
	cleanup_buf struct buf whole = BUF_INIT(16 * KIB);
	cleanup_free char *pem = pem_path("");
	const char *start = line;

	buf_append_char(&whole, '\n');
	for (const char *found; (found = strstr(start, "PEM/")); start = found + strlen("PEM/")) {
		buf_append(&whole, start, (size_t)(found - start));
		buf_append_text(&whole, pem);
	}
	buf_append_format(&whole, "%s\n", start);
	if (!strstr(text, buf_text(&whole)))
		fail_msg("no line '%s' in:\n%s", buf_text(&whole), text);
}

static inline void assert_lacks(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("'%s' in:\n%s", part, text);
}

/* Both stand in the text, the first before the second. */
static inline void assert_before(const char *text, const char *first, const char *second)
{
	const char *a = strstr(text, first);
	const char *b = strstr(text, second);

	if (!a || !b || a > b)
		fail_msg("not '%s' before '%s' in:\n%s", first, second, text);
}
