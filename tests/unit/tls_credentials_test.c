/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PEM files as people make them: by the openssl command. Whom the peer's verification admits is
 * tested with real handshakes, in tests/program/http_server_test.py.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "sys/tls_credentials.h"

enum { ARGUMENTS_MAX = 32, DAY_S = 24 * 60 * 60 };

static char folder[] = "/tmp/tls-credentials-test.XXXXXX";
extern char **environ;

/* Runs "openssl ARGUMENTS" in the folder; arguments are divided by single spaces. */
static void openssl(const char *arguments)
{
	cleanup_free char *line = xformat("openssl %s", arguments);
	char *argv[ARGUMENTS_MAX] = {NULL};
	posix_spawn_file_actions_t actions;
	char *saved = NULL;
	size_t count = 0;
	int status = -1;
	pid_t pid;

	for (char *word = strtok_r(line, " ", &saved); word; word = strtok_r(NULL, " ", &saved)) {
		assert_true(count < ARGUMENTS_MAX - 1);
		argv[count++] = word;
	}
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addchdir_np(&actions, folder);
	posix_spawn_file_actions_addopen(
		&actions, STDERR_FILENO, "openssl.log", O_WRONLY | O_CREAT, 0600);
	assert_int_equal(posix_spawnp(&pid, "openssl", &actions, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status != 0)
		print_error("openssl %s: failed\n", arguments);
	assert_int_equal(status, 0);
}

static void store(const char *name, const char *text)
{
	cleanup_free char *path = xformat("%s/%s", folder, name);

	assert_int_equal(file_replace_nosync(path, text, strlen(text), 0600, NULL), 0);
}

/* Three certificates, each signed by the one before (root, middle, leaf), and keys of all kinds. */
static int folder_setup(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	store("ca.ext", "basicConstraints=critical,CA:TRUE\n");
	openssl("ecparam -name prime256v1 -out parameters.pem");
	openssl("req -x509 -newkey ec:parameters.pem -nodes -keyout root.key -out root.crt -days "
		"30 "
		"-subj /CN=root");
	openssl("req -newkey ec:parameters.pem -nodes -keyout middle.key -out middle.csr -subj "
		"/CN=middle");
	openssl("x509 -req -in middle.csr -CA root.crt -CAkey root.key -CAcreateserial -days 30 "
		"-extfile ca.ext -out middle.crt");
	openssl("req -newkey ec:parameters.pem -nodes -keyout leaf.key -out leaf.csr -subj "
		"/CN=amphora");
	openssl("x509 -req -in leaf.csr -CA middle.crt -CAkey middle.key -CAcreateserial -days 10 "
		"-out leaf.crt");
	return 0;
}

static int folder_teardown(void **state)
{
	(void)state;
	return directory_remove(folder, NULL);
}

/* The files of the folder, one behind the other. */
static void read_all(const char *names, struct buf *ret_text)
{
	cleanup_free char *list = xstrdup(names);
	char *saved = NULL;

	for (char *name = strtok_r(list, " ", &saved); name; name = strtok_r(NULL, " ", &saved)) {
		cleanup_free char *path = xformat("%s/%s", folder, name);
		struct err err = ERR_NONE;

		if (file_read(path, ret_text, &err) < 0)
			fail_msg("%s", err.text);
	}
}

static int make(const char *server_files, const char *ca_files,
	struct tls_credentials **ret_credentials, struct err *err)
{
	cleanup_buf struct buf server = BUF_INIT(MIB);
	cleanup_buf struct buf ca = BUF_INIT(MIB);

	read_all(server_files, &server);
	read_all(ca_files, &ca);
	return tls_credentials_new(buf_text(&server), server.size_bytes, buf_text(&ca),
		ca.size_bytes, TLS_VERSION_1_2, ret_credentials, err);
}

static void assert_accepted(const char *server_files)
{
	struct tls_credentials *credentials = NULL;
	struct err err = ERR_NONE;

	if (make(server_files, "root.crt", &credentials, &err) < 0)
		fail_msg("%s: %s", server_files, err.text);
	tls_credentials_unref(credentials);
}

static void assert_refused_with_ca(
	const char *server_files, const char *ca_files, const char *reason)
{
	struct tls_credentials *credentials = NULL;
	struct err err = ERR_NONE;

	assert_int_equal(make(server_files, ca_files, &credentials, &err), -EINVAL);
	assert_null(credentials);
	if (!strstr(err.text, reason))
		fail_msg("\"%s\" does not say \"%s\"", err.text, reason);
}

static void assert_refused(const char *server_files, const char *reason)
{
	assert_refused_with_ca(server_files, "root.crt", reason);
}

static void blocks_may_stand_in_any_order(void **state)
{
	(void)state;
	assert_accepted("leaf.crt leaf.key");
	assert_accepted("leaf.key leaf.crt");
	assert_accepted("leaf.crt leaf.key middle.crt root.crt");
	assert_accepted("root.crt middle.crt leaf.key leaf.crt");
	assert_accepted("middle.crt leaf.crt root.crt leaf.key");
}

static void the_leaf_is_the_certificate_that_matches_the_key(void **state)
{
	struct tls_credentials *credentials = NULL;
	int64_t expires_in_s;

	(void)state;
	assert_int_equal(
		make("root.crt middle.crt leaf.crt leaf.key", "root.crt", &credentials, NULL), 0);
	assert_string_equal(tls_credentials_subject(credentials), "CN=amphora");
	expires_in_s = tls_credentials_expires_s(credentials) - time(NULL);
	assert_in_range(expires_in_s, 10 * DAY_S - 600, 10 * DAY_S);
	tls_credentials_unref(credentials);
}

static void of_two_certificates_with_the_key_the_later_one_counts(void **state)
{
	static const char *const orders[] = {
		"old.crt leaf.crt leaf.key",
		"leaf.crt old.crt leaf.key",
	};

	(void)state;
	openssl("x509 -req -in leaf.csr -CA middle.crt -CAkey middle.key -CAcreateserial -days 1 "
		"-out old.crt");
	for (size_t i = 0; i < 2; i++) {
		struct tls_credentials *credentials = NULL;

		assert_int_equal(make(orders[i], "root.crt", &credentials, NULL), 0);
		assert_true(tls_credentials_expires_s(credentials) - time(NULL) > 5 * DAY_S);
		tls_credentials_unref(credentials);
	}
	openssl("req -x509 -key leaf.key -out self.crt -days 9 -subj /CN=self");
	openssl("req -x509 -key leaf.key -out self-old.crt -days 1 -subj /CN=self");
	assert_accepted("self-old.crt self.crt leaf.key");
	assert_accepted("self.crt self-old.crt leaf.key");
}

static void keys_of_every_usual_kind_are_read(void **state)
{
	(void)state;
	openssl("req -x509 -newkey rsa:2048 -nodes -keyout rsa.key -out rsa.crt -days 9 -subj "
		"/CN=a");
	assert_accepted("rsa.key rsa.crt");
	openssl("rsa -in rsa.key -traditional -out rsa-traditional.key");
	assert_accepted("rsa-traditional.key rsa.crt");
	openssl("ec -in leaf.key -out ec-traditional.key");
	assert_accepted("ec-traditional.key leaf.crt");
	assert_accepted("parameters.pem ec-traditional.key leaf.crt");
	openssl("ecparam -name secp384r1 -genkey -out p384.key"); /* parameters and key */
	openssl("req -x509 -new -key p384.key -out p384.crt -days 9 -subj /CN=a");
	assert_accepted("p384.key p384.crt");
	openssl("req -x509 -newkey ed25519 -nodes -keyout ed.key -out ed.crt -days 9 -subj /CN=a");
	assert_accepted("ed.key ed.crt");
}

static void an_encrypted_key_is_refused_with_the_reason(void **state)
{
	(void)state;
	openssl("pkcs8 -topk8 -in leaf.key -passout pass:secret -out encrypted.key");
	assert_refused("encrypted.key leaf.crt", "encrypted");
	openssl("ec -in leaf.key -aes128 -passout pass:secret -out encrypted-traditional.key");
	assert_refused("encrypted-traditional.key leaf.crt", "encrypted");
}

static void what_is_missing_is_named(void **state)
{
	(void)state;
	assert_refused("ca.ext", "no certificate found");
	assert_refused("leaf.crt", "no private key found");
	assert_refused("leaf.key", "no certificate found");
	assert_refused("middle.crt leaf.key", "matches no certificate");
	assert_refused("leaf.crt leaf.key middle.key", "more than one private key");
	assert_refused("leaf.crt leaf.crt leaf.crt leaf.crt leaf.crt leaf.crt leaf.crt leaf.crt "
		       "leaf.crt leaf.crt leaf.crt leaf.crt leaf.crt leaf.crt leaf.crt leaf.crt "
		       "leaf.crt leaf.key",
		"more than 16 certificates");
	assert_refused_with_ca("leaf.crt leaf.key", "ca.ext", "CA of the clients");
	assert_refused_with_ca("leaf.crt leaf.key", "leaf.key", "CA of the clients");
}

static void what_is_broken_is_refused(void **state)
{
	(void)state;
	store("cut.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n");
	store("rubbish.crt", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n");
	store("rubbish.key", "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n");
	assert_refused("leaf.crt leaf.key cut.pem", "no END line");
	assert_refused("rubbish.crt leaf.key", "certificate 1 of the PEM is not readable");
	assert_refused("leaf.crt leaf.key rubbish.crt", "certificate 2 of the PEM is not readable");
	assert_refused("leaf.crt rubbish.key", "private key is not readable");
	assert_refused_with_ca("leaf.crt leaf.key", "rubbish.crt", "CA of the clients");
	assert_refused_with_ca("leaf.crt leaf.key", "root.crt rubbish.crt", "CA of the clients");
}

/* As leaf.crt, but valid between those: "YYYYMMDDHHMMSSZ". */
static void issue_leaf(const char *name, const char *from, const char *until)
{
	char arguments[512];

	store("index.txt", "");
	store("ca.cnf", "[ca]\ndefault_ca=c\n[c]\ndatabase=index.txt\nserial=serial\n"
			"new_certs_dir=.\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n");
	snprintf(arguments, sizeof(arguments),
		"ca -batch -config ca.cnf -rand_serial -cert root.crt -keyfile root.key -in "
		"leaf.csr -notext -out %s -startdate %s -enddate %s",
		name, from, until);
	openssl(arguments);
}

static void an_expired_leaf_is_refused(void **state)
{
	(void)state;
	issue_leaf("expired.crt", "20200101000000Z", "20210203040506Z");
	assert_refused("expired.crt leaf.key", "expired on 2021-02-03 04:05:06 UTC");
	assert_refused("expired.crt leaf.key", "CN=amphora");
}

static void a_leaf_of_a_controller_whose_clock_is_ahead_is_taken(void **state)
{
	struct tls_credentials *credentials = NULL;

	(void)state;
	issue_leaf("early.crt", "20980101000000Z", "20990101000000Z");
	assert_int_equal(make("early.crt leaf.key", "root.crt", &credentials, NULL), 0);
	/* 2098-01-01 */
	assert_int_equal(tls_credentials_valid_from_s(credentials), 4039372800);
	tls_credentials_unref(credentials);
}

static void the_ca_may_be_several_certificates(void **state)
{
	struct tls_credentials *credentials = NULL;

	(void)state;
	assert_int_equal(
		make("leaf.crt leaf.key", "root.crt parameters.pem middle.crt", &credentials, NULL),
		0);
	tls_credentials_unref(credentials);
}

static void bytes_that_are_no_text_are_refused(void **state)
{
	static const char bytes[] = "\0-----BEGIN CERTIFICATE-----\0\xff-----END CERTIFICATE-----";
	struct tls_credentials *credentials = NULL;

	(void)state;
	for (size_t size = 0; size <= sizeof(bytes); size++)
		assert_int_equal(tls_credentials_new(bytes, size, bytes, size, TLS_VERSION_1_3,
					 &credentials, NULL),
			-EINVAL);
}

static void credentials_live_until_the_last_reference_goes(void **state)
{
	struct tls_credentials *credentials = NULL, *second;

	(void)state;
	tls_credentials_unref(NULL);
	assert_int_equal(make("leaf.crt leaf.key", "root.crt", &credentials, NULL), 0);
	second = tls_credentials_ref(credentials);
	tls_credentials_unref(credentials);
	assert_string_equal(tls_credentials_subject(second), "CN=amphora");
	tls_credentials_unref(second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_may_stand_in_any_order),
		cmocka_unit_test(the_leaf_is_the_certificate_that_matches_the_key),
		cmocka_unit_test(of_two_certificates_with_the_key_the_later_one_counts),
		cmocka_unit_test(keys_of_every_usual_kind_are_read),
		cmocka_unit_test(an_encrypted_key_is_refused_with_the_reason),
		cmocka_unit_test(what_is_missing_is_named),
		cmocka_unit_test(what_is_broken_is_refused),
		cmocka_unit_test(an_expired_leaf_is_refused),
		cmocka_unit_test(a_leaf_of_a_controller_whose_clock_is_ahead_is_taken),
		cmocka_unit_test(the_ca_may_be_several_certificates),
		cmocka_unit_test(bytes_that_are_no_text_are_refused),
		cmocka_unit_test(credentials_live_until_the_last_reference_goes),
	};

	return cmocka_run_group_tests(tests, folder_setup, folder_teardown);
}
