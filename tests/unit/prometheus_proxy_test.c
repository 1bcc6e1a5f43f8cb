/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "captured_log.h"
#include "eventually.h"
#include "free_port.h"
#include "prometheus/proxy.h"
#include "prometheus/request.h"

#define OK_HEAD "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
#define SAMPLE  "haproxy_process_max_connections 5\n"
#define GET     "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
#define GET_1_0 "GET / HTTP/1.0\r\n\r\n"

/* What a test waits for on purpose, and what it waits for at most. */
enum { SILENCE_MS = 1000, PATIENCE_MS = 60000, ANSWER_MAX = 4096 };

/* A proxy in a thread, the exporter that it asks, and the log. */
struct scene {
	int exporter; /* listens; -1: nobody does */
	int stop;
	pthread_t thread;
	struct proxy_options options;
	struct captured_log log;
};

static void *scene_thread(void *context)
{
	struct scene *scene = context;
	struct err err = ERR_NONE;

	if (proxy_run(&scene->options, scene->stop, &err) < 0)
		abort();
	return NULL;
}

/* On that port. silence_ms: how long the proxy puts up with nothing. */
static void scene_start_on(struct scene *scene, in_port_t port, int silence_ms)
{
	scene->options.port = port;
	scene->options.base_path = "/nowhere";
	scene->options.timeouts = (struct scrape_timeouts){
		.request_ms = silence_ms,
		.exporter_ms = silence_ms,
		.scraper_ms = silence_ms,
		.whole_ms = PATIENCE_MS,
	};
	scene->exporter = listen_somewhere(&scene->options.exporter_port);
	scene->stop = eventfd(0, EFD_CLOEXEC);
	captured_log_start(&scene->log);
	pthread_create(&scene->thread, NULL, scene_thread, scene);
}

static void scene_start(struct scene *scene, int silence_ms)
{
	scene_start_on(scene, free_port(), silence_ms);
}

static void scene_stop(struct scene *scene)
{
	assert_int_equal(eventfd_write(scene->stop, 1), 0);
	pthread_join(scene->thread, NULL);
	captured_log_text(&scene->log);
	captured_log_stop(&scene->log);
	close(scene->stop);
	close_fd(scene->exporter);
}

/* How often the log of a scene that is over said so. */
static unsigned said(const struct scene *scene, const char *words)
{
	unsigned count = 0;

	for (const char *at = scene->log.text; (at = strstr(at, words)); at++)
		count++;
	return count;
}

/* Connects to the proxy, once it listens, and says that. */
static int ask(const struct scene *scene, const char *request)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons(scene->options.port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_soon(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
	return fd;
}

/* The next request to the exporter, of which the fake reads the head. */
static int asked(const struct scene *scene)
{
	char request[ANSWER_MAX];
	int fd = accept4(scene->exporter, NULL, NULL, SOCK_CLOEXEC);
	ssize_t got = recv(fd, request, sizeof(request) - 1, 0);

	assert_true(got > 0);
	request[got] = '\0';
	assert_non_null(strstr(request, "GET /metrics HTTP/1.1\r\n"));
	assert_non_null(strstr(request, "\r\n\r\n"));
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* All that comes until the end of the connection; returns 0, or the errno of a reset. */
static int read_all(int fd, char text[static ANSWER_MAX])
{
	size_t size = 0;
	ssize_t got;

	while ((got = recv(fd, text + size, ANSWER_MAX - 1 - size, 0)) > 0)
		size += (size_t)got;
	text[size] = '\0';
	close(fd);
	return got < 0 ? errno : 0;
}

static void assert_answer(int fd, const char *begin, const char *part, const char *end)
{
	char text[ANSWER_MAX];

	assert_int_equal(read_all(fd, text), 0);
	if (strncmp(text, begin, strlen(begin)) != 0 || !strstr(text, part) ||
		strcmp(text + strlen(text) - strlen(end), end) != 0)
		fail_msg("'%s', '%s', '%s': not in this order in '%s'", begin, part, end, text);
}

static void a_scrape_is_handed_on_as_it_comes(void **state)
{
	struct scene scene;
	int scraper;
	int exporter;

	(void)state;
	scene_start(&scene, PATIENCE_MS);
	scraper = ask(&scene, GET);
	exporter = asked(&scene);
	say(exporter, OK_HEAD "c\r\nhaproxy_proc\r\n");
	say(exporter, "16\r\ness_max_connections 5\n\r\n0\r\n\r\n");
	assert_answer(scraper,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nCache-Control: no-cache\r\n"
		"Content-Type: text/plain; version=0.0.4\r\nConnection: close\r\n\r\n",
		"octavia_loadbalancer_max_connections 5\n", "\r\n0\r\n\r\n");
	close(exporter);
	scene_stop(&scene);
}

static void http_1_0_gets_no_chunks(void **state)
{
	struct scene scene;
	int scraper;
	int exporter;

	(void)state;
	scene_start(&scene, PATIENCE_MS);
	scraper = ask(&scene, GET_1_0);
	exporter = asked(&scene);
	say(exporter, OK_HEAD "22\r\n" SAMPLE "\r\n0\r\n\r\n");
	assert_answer(scraper, "HTTP/1.1 200 OK\r\nCache-Control: no-cache\r\n",
		"\r\n\r\n# HELP octavia_loadbalancer_cpu",
		"\noctavia_loadbalancer_max_connections 5\n");
	close(exporter);
	scene_stop(&scene);
}

static void head_gets_the_head(void **state)
{
	struct scene scene;
	int scraper;
	int exporter;

	(void)state;
	scene_start(&scene, PATIENCE_MS);
	scraper = ask(&scene, "HEAD / HTTP/1.1\r\n\r\n");
	exporter = asked(&scene);
	say(exporter, OK_HEAD "22\r\n" SAMPLE "\r\n");
	assert_answer(scraper, "HTTP/1.1 200 OK\r\n", "Content-Type: text/plain",
		"Connection: close\r\n\r\n");
	close(exporter);
	scene_stop(&scene);
}

static void an_exporter_that_is_not_there_is_a_502_and_told_once(void **state)
{
	struct scene scene;

	(void)state;
	scene_start(&scene, PATIENCE_MS);
	scene.exporter = close_fd(scene.exporter);
	for (unsigned i = 0; i < 3; i++)
		assert_answer(
			ask(&scene, GET), "HTTP/1.1 502 ", "Content-Length: 0\r\n", "\r\n\r\n");
	scene_stop(&scene);
	assert_int_equal(said(&scene, "HAProxy's exporter at 127.0.0.1:"), 1);
	assert_int_equal(said(&scene, "Connection refused"), 1);
}

static void what_the_exporter_says_instead_of_metrics_is_a_502(void **state)
{
	static const char *const answers[] = {"HTTP/1.1 503 Service Unavailable\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", OK_HEAD "x\r\n", OK_HEAD, ""};

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct scene scene;
		int scraper;
		int exporter;

		scene_start(&scene, PATIENCE_MS);
		scraper = ask(&scene, GET);
		exporter = asked(&scene);
		say(exporter, answers[i]);
		close(exporter);
		assert_answer(scraper, "HTTP/1.1 502 ", "Content-Length: 0\r\n", "\r\n\r\n");
		scene_stop(&scene);
	}
}

static void a_silent_exporter_is_a_502_in_time_and_told_when_it_is_back(void **state)
{
	struct scene scene;
	int64_t begin_ms = clock_now_ms();
	int scraper;
	int exporter;

	(void)state;
	scene_start(&scene, SILENCE_MS);
	scraper = ask(&scene, GET);
	exporter = asked(&scene);
	assert_answer(scraper, "HTTP/1.1 502 ", "Content-Length: 0\r\n", "\r\n\r\n");
	assert_true(clock_now_ms() - begin_ms >= SILENCE_MS);
	close(exporter);
	scraper = ask(&scene, GET);
	exporter = asked(&scene);
	say(exporter, OK_HEAD "0\r\n\r\n");
	assert_answer(scraper, "HTTP/1.1 200 ", "octavia", "0\r\n\r\n");
	close(exporter);
	scene_stop(&scene);
	assert_int_equal(said(&scene, "it is silent for"), 1);
	assert_int_equal(said(&scene, " answers\n"), 1);
}

/* The way that the exporter goes: closed, or silent. */
static void assert_part_is_no_whole(const char *request, bool exporter_closes)
{
	char text[ANSWER_MAX];
	struct scene scene;
	int scraper;
	int exporter;

	scene_start(&scene, SILENCE_MS);
	scraper = ask(&scene, request);
	exporter = asked(&scene);
	say(exporter, OK_HEAD "22\r\n" SAMPLE "\r\n");
	if (exporter_closes)
		exporter = close_fd(exporter);
	assert_int_equal(read_all(scraper, text), ECONNRESET);
	assert_null(strstr(text, "\r\n0\r\n\r\n"));
	close_fd(exporter);
	scene_stop(&scene);
}

static void an_exporter_that_goes_in_between_is_a_failure_to_every_scraper(void **state)
{
	(void)state;
	assert_part_is_no_whole(GET, true);
	assert_part_is_no_whole(GET_1_0, true);
	assert_part_is_no_whole(GET, false);
}

static void a_proxy_that_ends_in_between_is_a_failure_too(void **state)
{
	char text[ANSWER_MAX];
	struct scene scene;
	int scraper;
	int exporter;

	(void)state;
	scene_start(&scene, PATIENCE_MS);
	scraper = ask(&scene, GET_1_0);
	exporter = asked(&scene);
	say(exporter, OK_HEAD "22\r\n" SAMPLE "\r\n");
	assert_true(recv(scraper, text, sizeof(text), 0) > 0);
	scene_stop(&scene);
	assert_int_equal(read_all(scraper, text), ECONNRESET);
	close(exporter);
}

static void requests_that_cannot_be_served_say_why(void **state)
{
	cleanup_buf struct buf huge = BUF_INIT(MIB);
	struct scene scene;

	(void)state;
	scene_start(&scene, PATIENCE_MS);
	assert_answer(ask(&scene, "POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nxx"),
		"HTTP/1.1 405 ", "Allow: GET, HEAD\r\n", "\r\n\r\n");
	assert_answer(ask(&scene, "hello\r\n"), "HTTP/1.1 400 ", "", "\r\n\r\n");
	buf_append_text(&huge, "GET / HTTP/1.1\r\nX: ");
	while (huge.size_bytes < REQUEST_HEAD_MAX_BYTES + 10)
		buf_append_char(&huge, 'x');
	assert_answer(ask(&scene, buf_text(&huge)), "HTTP/1.1 431 ", "", "\r\n\r\n");
	scene_stop(&scene);
}

static void a_request_that_does_not_end_is_given_up(void **state)
{
	char text[ANSWER_MAX];
	struct scene scene;

	(void)state;
	scene_start(&scene, SILENCE_MS);
	assert_int_equal(read_all(ask(&scene, "GET / HT"), text), 0);
	assert_string_equal(text, "");
	scene_stop(&scene);
}

/* Fills every way to the scraper; returns when nobody takes more. */
static void fill(int exporter)
{
	static char chunk[6 + 0xffff + 2];
	struct pollfd writable = {.fd = exporter, .events = POLLOUT};

	memset(chunk, '\n', sizeof(chunk));
	memcpy(chunk, "ffff\r\n", 6);
	for (size_t at = 6; at + strlen(SAMPLE) < sizeof(chunk) - 2; at += strlen(SAMPLE))
		memcpy(chunk + at, SAMPLE, strlen(SAMPLE));
	memcpy(chunk + sizeof(chunk) - 2, "\r\n", 2);
	while (poll(&writable, 1, SILENCE_MS / 2) == 1)
		if (send(exporter, chunk, sizeof(chunk), MSG_NOSIGNAL) < 0)
			return;
}

static void a_scraper_that_does_not_read_is_given_up_and_delays_nobody(void **state)
{
	static char text[ANSWER_MAX];
	struct timeval patience = {.tv_usec = SILENCE_MS * 1000 / 2};
	struct scene scene;
	int sleeper;
	int scraper;
	int exporter;
	int other;

	(void)state;
	scene_start(&scene, SILENCE_MS);
	sleeper = ask(&scene, GET);
	exporter = asked(&scene);
	setsockopt(exporter, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	say(exporter, OK_HEAD);
	fill(exporter);
	scraper = ask(&scene, GET);
	other = asked(&scene);
	say(other, OK_HEAD "22\r\n" SAMPLE "\r\n0\r\n\r\n");
	assert_answer(scraper, "HTTP/1.1 200 ", "octavia", "0\r\n\r\n");
	close(other);
	/* Its connection to the exporter ends with it. */
	assert_soon(send(exporter, "x", 1, MSG_NOSIGNAL) < 0 && errno != EAGAIN);
	close(exporter);
	while (recv(sleeper, text, sizeof(text), 0) > 0)
		;
	close(sleeper);
	scene_stop(&scene);
}

static void too_many_scrapes_are_turned_away_until_there_is_room(void **state)
{
	int scrapers[EXPORTER_SCRAPES_MAX];
	int exporters[EXPORTER_SCRAPES_MAX];
	char text[ANSWER_MAX];
	struct scene scene;
	int scraper;
	int exporter;

	(void)state;
	scene_start(&scene, PATIENCE_MS);
	for (unsigned i = 0; i < EXPORTER_SCRAPES_MAX; i++) {
		scrapers[i] = ask(&scene, GET);
		exporters[i] = asked(&scene);
		say(exporters[i], OK_HEAD "22\r\n" SAMPLE "\r\n");
	}
	for (unsigned i = 0; i < 3; i++)
		assert_answer(ask(&scene, GET), "HTTP/1.1 503 ", "", "\r\n\r\n");
	for (unsigned i = 0; i < EXPORTER_SCRAPES_MAX; i++) {
		close(exporters[i]);
		read_all(scrapers[i], text);
	}
	scraper = ask(&scene, GET);
	exporter = asked(&scene);
	say(exporter, OK_HEAD "0\r\n\r\n");
	assert_answer(scraper, "HTTP/1.1 200 ", "octavia", "0\r\n\r\n");
	close(exporter);
	scene_stop(&scene);
	assert_int_equal(said(&scene, "scrapes are under way"), 1);
}

static void a_port_that_is_taken_is_waited_for(void **state)
{
	struct scene scene;
	in_port_t port;
	int taken = listen_somewhere(&port);
	int exporter;
	int scraper;

	(void)state;
	scene_start_on(&scene, port, PATIENCE_MS);
	assert_soon(captured_log_count(&scene.log, "Address already in use") == 1);
	close(taken);
	assert_soon(captured_log_count(&scene.log, "at last") == 1);
	scraper = ask(&scene, GET);
	exporter = asked(&scene);
	say(exporter, OK_HEAD "0\r\n\r\n");
	assert_answer(scraper, "HTTP/1.1 200 ", "octavia", "0\r\n\r\n");
	close(exporter);
	scene_stop(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_scrape_is_handed_on_as_it_comes),
		cmocka_unit_test(http_1_0_gets_no_chunks),
		cmocka_unit_test(head_gets_the_head),
		cmocka_unit_test(an_exporter_that_is_not_there_is_a_502_and_told_once),
		cmocka_unit_test(what_the_exporter_says_instead_of_metrics_is_a_502),
		cmocka_unit_test(a_silent_exporter_is_a_502_in_time_and_told_when_it_is_back),
		cmocka_unit_test(an_exporter_that_goes_in_between_is_a_failure_to_every_scraper),
		cmocka_unit_test(a_proxy_that_ends_in_between_is_a_failure_too),
		cmocka_unit_test(requests_that_cannot_be_served_say_why),
		cmocka_unit_test(a_request_that_does_not_end_is_given_up),
		cmocka_unit_test(a_scraper_that_does_not_read_is_given_up_and_delays_nobody),
		cmocka_unit_test(too_many_scrapes_are_turned_away_until_there_is_room),
		cmocka_unit_test(a_port_that_is_taken_is_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
