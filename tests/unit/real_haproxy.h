/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests with a real HAProxy: a site of its own under a fresh folder with the direct service
 * manager, members that say who they are, and questions to what runs. HAPROXY names another
 * HAProxy than the one in PATH. Include it behind cmocka.h.
 */
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "haproxy/instance.h"
#include "haproxy/master.h"
#include "haproxy/own_config.h"
#include "sys/service.h"
#include "free_port.h"

static char folder[64];
static struct settings settings;
static struct service_manager *services;
static struct haproxy_site *site;

static const struct id lb = {.text = "b0a7e1d2-7a1c-4c1e-9f1a-a7731e78c66a"};

/* A member: whoever connects is told its letter, and echoed. */
struct member {
	char letter;
	uint16_t port;
	int fd;
	pthread_t thread;
};

struct stream {
	int fd;
	char letter;
};

static inline void *stream_serve(void *data)
{
	struct stream *stream = data;
	char byte = stream->letter;

	while (send(stream->fd, &byte, 1, MSG_NOSIGNAL) == 1 && read(stream->fd, &byte, 1) == 1)
		;
	close(stream->fd);
	free(stream);
	return NULL;
}

static inline void *member_serve(void *data)
{
	struct member *member = data;
	int fd;

	while ((fd = accept(member->fd, NULL, NULL)) >= 0) {
		struct stream *stream = xcalloc(1, sizeof(*stream));
		pthread_t thread;

		*stream = (struct stream){.fd = fd, .letter = member->letter};
		pthread_create(&thread, NULL, stream_serve, stream);
		pthread_detach(thread);
	}
	return NULL;
}

static inline void member_start(struct member *member, char letter)
{
	member->letter = letter;
	member->fd = listen_somewhere(&member->port);
	pthread_create(&member->thread, NULL, member_serve, member);
}

static inline void member_stop(struct member *member)
{
	shutdown(member->fd, SHUT_RDWR);
	pthread_join(member->thread, NULL);
	close(member->fd);
}

/* A connection to the listener; *ret_letter is who serves it, '\0' nobody. */
static inline int stream_open(uint16_t port, char *ret_letter)
{
	struct sockaddr_in name = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(port)};
	struct timeval patience = {.tv_sec = 20};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	*ret_letter = '\0';
	if (connect(fd, (struct sockaddr *)&name, sizeof(name)) < 0 || read(fd, ret_letter, 1) != 1)
		*ret_letter = '\0';
	return fd;
}

static inline bool stream_lives(int fd)
{
	char byte = '!';

	return send(fd, &byte, 1, MSG_NOSIGNAL) == 1 && read(fd, &byte, 1) == 1 && byte == '!';
}

/* Who answers count connections one after the other, sorted and without repetition: "ab". */
static inline void who_serves(uint16_t port, int count, char ret_letters[static 27])
{
	bool seen[256] = {false};

	for (int i = 0; i < count; i++) {
		char letter;
		int fd = stream_open(port, &letter);

		seen[(unsigned char)letter] = true;
		close(fd);
	}
	if (seen[0])
		*ret_letters++ = '-';
	for (int c = 'a'; c <= 'z'; c++)
		if (seen[c])
			*ret_letters++ = (char)c;
	*ret_letters = '\0';
}

static inline void assert_served_by(uint16_t port, const char *letters)
{
	char seen[27];

	who_serves(port, 12, seen);
	assert_string_equal(seen, letters);
}

static inline char *path_of(enum haproxy_file file)
{
	return haproxy_site_path(site, &lb, file);
}

static inline void site_open(void)
{
	struct err err = ERR_NONE;

	if (service_manager_new_direct(settings.runtime_dir, &services, &err) < 0 ||
		haproxy_site_new(&settings, services, &site, &err) < 0 ||
		haproxy_own_config_store(site, &err) < 0)
		fail_msg("%s", err.text);
}

/* What a crash of the agent amounts to: nobody supervises, HAProxy goes on. */
static inline void site_close(void)
{
	haproxy_site_free(site);
	service_manager_free(services);
	site = NULL;
	services = NULL;
}

static inline int site_setup(void **state)
{
	const char *haproxy = getenv("HAPROXY");

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	snprintf(folder, sizeof(folder), "/tmp/hap.XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	settings = (struct settings){
		.base_path = xformat("%s/b", folder),
		.base_cert_dir = xformat("%s/b/certs", folder),
		.runtime_dir = xformat("%s/r", folder),
		.haproxy_cmd = xstrdup(haproxy ? haproxy : "haproxy"),
		.network_namespace = xstrdup(""),
		.template_dir = xstrdup(SHARED_TESTS "/../templates"),
		.amphora_id = {.text = "21d0b8c3-9f4e-4d3a-8f0a-0d6a4f1c2b3d"},
	};
	if (directory_make(settings.runtime_dir, 0755, NULL) < 0)
		return -1;
	site_open();
	return 0;
}

static inline int site_teardown(void **state)
{
	struct haproxy_instance *instance = haproxy_instance_acquire(site, &lb);
	struct err err = ERR_NONE;
	int r = haproxy_instance_delete(instance, &err);

	(void)state;
	haproxy_instance_release(instance);
	site_close();
	free(settings.base_path);
	free(settings.base_cert_dir);
	free(settings.runtime_dir);
	free(settings.haproxy_cmd);
	free(settings.network_namespace);
	free(settings.template_dir);
	if (r < 0)
		print_error("%s\n", err.text);
	return r < 0 ? r : directory_remove(folder, NULL);
}

/* A config as controllers render it, with one TCP listener; more goes into its frontend. */
static inline char *config_make(uint16_t port, const char *more, const char *servers)
{
	return xformat("global\n    daemon\n    user nobody\n"
		       "    stats socket %s/%s.sock mode 0666 level user\n"
		       "    server-state-file %s/%s/servers-state\n    maxconn 200\n\n"
		       "defaults\n    retries 3\n    option redispatch\n\n"
		       "frontend l\n    bind 127.0.0.1:%u\n    mode tcp\n    default_backend p:l\n"
		       "    timeout client 50000\n%s\n"
		       "backend p:l\n    mode tcp\n    balance roundrobin\n"
		       "    load-server-state-from-file global\n    timeout check 2s\n"
		       "    timeout connect 5000\n    timeout server 50000\n%s",
		settings.base_path, lb.text, settings.base_path, lb.text, port, more, servers);
}

/* Each call with an instance of its own; the error's text and HAProxy's words are kept. */
static struct err last_err;
static char last_output[HAPROXY_OUTPUT_MAX_BYTES + 1];

static inline void last_set(const struct err *err, const struct buf *output)
{
	last_err = *err;
	snprintf(last_output, sizeof(last_output), "%s", buf_text(output));
}

static inline int upload(const char *text)
{
	cleanup_haproxy_instance struct haproxy_instance *instance =
		haproxy_instance_acquire(site, &lb);
	cleanup_buf struct buf output = BUF_INIT(HAPROXY_OUTPUT_MAX_BYTES);
	struct err err = ERR_NONE;
	int r = haproxy_instance_upload(instance, text, strlen(text), &output, &err);

	last_set(&err, &output);
	return r;
}

enum verb { START, STOP, RELOAD };

/* The enum haproxy_applied, or a negative errno. */
static inline int act(enum verb verb)
{
	cleanup_haproxy_instance struct haproxy_instance *instance =
		haproxy_instance_acquire(site, &lb);
	cleanup_buf struct buf output = BUF_INIT(HAPROXY_OUTPUT_MAX_BYTES);
	enum haproxy_applied applied = HAPROXY_APPLIED_NONE;
	struct err err = ERR_NONE;
	int r;

	if (verb == START)
		r = haproxy_instance_start(instance, &applied, &output, &err);
	else if (verb == STOP)
		r = haproxy_instance_stop(instance, &applied, &err);
	else
		r = haproxy_instance_reload(instance, &applied, &output, &err);
	last_set(&err, &output);
	return r < 0 ? r : (int)applied;
}

static inline void assert_act(enum verb verb, const char *applied)
{
	int acted = act(verb);

	if (acted < 0)
		fail_msg("%s\n%s", last_err.text, last_output);
	assert_string_equal(haproxy_applied_text((enum haproxy_applied)acted), applied);
}

static inline void assert_uploaded(const char *text)
{
	if (upload(text) < 0)
		fail_msg("%s\n%s", last_err.text, last_output);
}

static inline char *ask(const char *command)
{
	cleanup_free char *master_socket = path_of(HAPROXY_FILE_MASTER_SOCKET);
	struct buf answer = BUF_INIT(MIB);
	struct err err = ERR_NONE;

	if (haproxy_master_command(
		    master_socket, haproxy_instance_worker(site, &lb), command, &answer, &err) < 0)
		fail_msg("%s", err.text);
	return buf_take_text(&answer);
}

/* Column number from 1 of the `show stat` row of a server; "" if there is none. */
static inline void stat_column(const char *server, int column, char *ret_text, size_t size)
{
	cleanup_free char *answer = ask("show stat");
	cleanup_free char *row_start = xformat("\np:l,%s,", server);
	char *row = strstr(answer, row_start);

	ret_text[0] = '\0';
	if (!row)
		return;
	row++;
	row[strcspn(row, "\n")] = '\0';
	while (row && --column > 0)
		strsep(&row, ",");
	snprintf(ret_text, size, "%.*s", (int)strcspn(row, ","), row);
}

enum { STAT_STATUS = 18, STAT_WEIGHT = 19 };

static inline void assert_stat(const char *server, int column, const char *expected)
{
	char seen[64];

	stat_column(server, column, seen, sizeof(seen));
	assert_string_equal(seen, expected);
}

static inline void wait_for_status(const char *server, const char *expected)
{
	int64_t deadline_ms = clock_now_ms() + 60000;
	char seen[64];

	do {
		stat_column(server, STAT_STATUS, seen, sizeof(seen));
		if (text_equal(seen, expected))
			return;
		clock_sleep_ms(20);
	} while (clock_left_ms(deadline_ms) > 0);
	fail_msg("server %s is %s, not %s", server, seen, expected);
}
