/* SPDX-License-Identifier: Apache-2.0 */
/* Scrapes of an amphora with LVS listeners: prometheus/lvs_exporter.h and scrape.h together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "captured_log.h"
#include "fake_ipvs.h"
#include "fake_keepalived.h"
#include "prometheus/scrape.h"

enum { IDLE_MS = 1, ANSWER_MAX_BYTES = 16 * MIB };

static const struct id listener = {.text = "L"};

static const char haproxys[] =
	"# HELP haproxy_frontend_status x\n# TYPE haproxy_frontend_status gauge\n"
	"haproxy_frontend_status{proxy=\"F\",state=\"UP\"} 1\n"
	"# HELP haproxy_server_max_queue x\n# TYPE haproxy_server_max_queue gauge\n"
	"haproxy_server_max_queue{proxy=\"Q:F\",server=\"N\"} 1\n"
	"# HELP haproxy_server_weight x\n# TYPE haproxy_server_weight gauge\n"
	"haproxy_server_weight{proxy=\"Q:F\",server=\"N\"} 5\n";

#define STATUS_BECOMES                                                                             \
	"# HELP octavia_listener_status Current status of the listener.\n"                         \
	"# TYPE octavia_listener_status gauge\n"                                                   \
	"octavia_listener_status{listener=\"F\",state=\"UP\"} 1\n"
#define QUEUE_BECOMES                                                                              \
	"# HELP octavia_member_max_queue x\n# TYPE octavia_member_max_queue gauge\n"               \
	"octavia_member_max_queue{pool=\"Q:F\",member=\"N\"} 1\n"
#define WEIGHT_BECOMES                                                                             \
	"# HELP octavia_member_weight Member weight.\n# TYPE octavia_member_weight gauge\n"        \
	"octavia_member_weight{pool=\"Q:F\",member=\"N\"} 5\n"

/* HAProxy's exporter, which says its text in two parts. */
struct haproxy {
	int listener;
	int connection;
	const char *text;
	size_t cut;
	unsigned parts_said;
};

static void haproxy_start(struct haproxy *haproxy, const char *text, in_port_t *ret_port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);

	*haproxy = (struct haproxy){.connection = -1, .text = text};
	haproxy->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(haproxy->listener, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(haproxy->listener, SOMAXCONN), 0);
	assert_int_equal(getsockname(haproxy->listener, (struct sockaddr *)&address, &size), 0);
	*ret_port = ntohs(address.sin_port);
}

static void say(const struct haproxy *haproxy, const char *text, size_t size)
{
	assert_int_equal(send(haproxy->connection, text, size, MSG_NOSIGNAL), size);
}

static void say_chunk(const struct haproxy *haproxy, const char *text, size_t size)
{
	char head[20];

	if (size == 0)
		return;
	say(haproxy, head, (size_t)snprintf(head, sizeof(head), "%zx\r\n", size));
	say(haproxy, text, size);
	say(haproxy, "\r\n", 2);
}

/* Nobody has anything else to do: the next part. */
static void haproxy_go_on(struct haproxy *haproxy)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

	if (haproxy->connection < 0 || haproxy->parts_said == 2)
		return;
	if (haproxy->parts_said++ == 0) {
		say(haproxy, head, strlen(head));
		say_chunk(haproxy, haproxy->text, haproxy->cut);
		return;
	}
	say_chunk(haproxy, haproxy->text + haproxy->cut, strlen(haproxy->text) - haproxy->cut);
	say(haproxy, "0\r\n\r\n", 5);
}

static void haproxy_stop(struct haproxy *haproxy)
{
	close(haproxy->listener);
	close_fd(haproxy->connection);
}

/* An LVS listener that serves, and who tells of it. */
struct scene {
	struct ipvs ipvs;
	struct fake_keepalived keepalived;
	struct lvs_exporter lvs_exporter;
	struct captured_log log;
};

static void scene_start(struct scene *scene)
{
	fake_ipvs_init(&scene->ipvs, 400);
	fake_ipvs_kernel = &scene->ipvs;
	lvs_listener_install(&listener, LVS_LISTENER_CONFIG);
	fake_keepalived_start(&scene->keepalived, &listener);
	scene->lvs_exporter = LVS_EXPORTER_INIT(temporary_folder);
	captured_log_start(&scene->log);
}

static void scene_stop(struct scene *scene)
{
	captured_log_stop(&scene->log);
	lvs_exporter_deinit(&scene->lvs_exporter);
	fake_keepalived_stop(&scene->keepalived);
}

/* Lets a scrape go on until it is over, and reads what it answers. */
static void scrape_run(
	struct scrape *scrape, struct haproxy *haproxy, int scraper, struct buf *ret_answer)
{
	bool goes_on = true;

	while (goes_on) {
		struct pollfd polled[] = {scrape_awaits(scrape), {.fd = scraper, .events = POLLIN},
			{.fd = haproxy->listener, .events = POLLIN}};
		ssize_t got;

		if (poll(polled, 3, IDLE_MS) == 0)
			haproxy_go_on(haproxy);
		if (polled[0].revents)
			goes_on = scrape_continue(scrape, 0);
		if (polled[2].revents)
			haproxy->connection = accept4(haproxy->listener, NULL, NULL, SOCK_CLOEXEC);
		if (!polled[1].revents)
			continue;
		got = recv(scraper, buf_reserve(ret_answer, 64 * KIB), 64 * KIB, 0);
		if (got > 0)
			buf_commit(ret_answer, (size_t)got);
		else
			scraper = close_fd(scraper);
	}
	close_fd(scraper);
}

/* The body of the answer, behind the amphora's own metrics; in *ret_answer. */
static const char *scraped(
	struct lvs_exporter *lvs_exporter, const char *text, size_t cut, struct buf *ret_answer)
{
	static const char request[] = "GET /metrics HTTP/1.0\r\n\r\n";
	static const struct scrape_timeouts timeouts = SCRAPE_TIMEOUTS;
	static struct exporter exporter;
	struct haproxy haproxy;
	struct scrape *scrape;
	const char *body;
	in_port_t port;
	int ends[2];

	haproxy_start(&haproxy, text, &port);
	haproxy.cut = cut;
	exporter = EXPORTER_INIT(port);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
	scrape = scrape_new(ends[0], &exporter, lvs_exporter, &timeouts, 0);
	assert_int_equal(send(ends[1], request, strlen(request), 0), strlen(request));
	scrape_run(scrape, &haproxy, ends[1], ret_answer);
	scrape_free(scrape);
	exporter_deinit(&exporter);
	haproxy_stop(&haproxy);
	assert_int_equal(strncmp(buf_text(ret_answer), "HTTP/1.1 200 OK\r\n", 17), 0);
	body = strstr(buf_text(ret_answer), "\noctavia_loadbalancer_memory ");
	assert_non_null(body);
	return strchr(body + 1, '\n') + 1;
}

/* Each family is told of once, and all its lines lie behind its HELP. */
static void assert_families_are_whole(const char *text)
{
	char family[128] = "";

	for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
		char name[128];

		if (sscanf(line, "# HELP %127s", family) == 1) {
			cleanup_free char *head = xformat("# HELP %s ", family);

			assert_null(strstr(line + 1, head));
			continue;
		}
		assert_true(sscanf(line, "# TYPE %127s", name) == 1 ||
			    sscanf(line, "%127[a-z_]", name) == 1);
		assert_string_equal(name, family);
	}
}

static void assert_begins_with(const char *text, const char *begin)
{
	if (strncmp(text, begin, strlen(begin)) != 0)
		fail_msg("'%s' does not begin with '%s'", text, begin);
}

static void samples_stand_at_the_end_of_their_family_wherever_the_bytes_are_cut(void **state)
{
	static const char expected[] = STATUS_BECOMES
		"octavia_listener_status{listener=\"L\",state=\"DOWN\"} 0\n"
		"octavia_listener_status{listener=\"L\",state=\"UP\"} 1\n" QUEUE_BECOMES
			WEIGHT_BECOMES "octavia_member_weight{pool=\"P:L\",member=\"M\"} 1\n"
		"# HELP octavia_listener_current_sessions Current number of active sessions.\n"
		"# TYPE octavia_listener_current_sessions gauge\n"
		"octavia_listener_current_sessions{listener=\"L\"} 4\n";
	cleanup_buf struct buf first = BUF_INIT(ANSWER_MAX_BYTES);
	struct scene scene;
	const char *body;

	(void)state;
	scene_start(&scene);
	body = scraped(&scene.lvs_exporter, haproxys, 0, &first);
	assert_begins_with(body, expected);
	assert_families_are_whole(body);
	assert_non_null(strstr(body, "\noctavia_listener_bytes_in_total{listener=\"L\"} 400\n"));
	for (size_t cut = 1; cut <= strlen(haproxys); cut++) {
		cleanup_buf struct buf answer = BUF_INIT(ANSWER_MAX_BYTES);

		assert_string_equal(scraped(&scene.lvs_exporter, haproxys, cut, &answer), body);
	}
	assert_string_equal(captured_log_text(&scene.log), "");
	scene_stop(&scene);
}

static void without_an_lvs_listener_nothing_is_added_and_nothing_opened(void **state)
{
	CLEANUP(lvs_exporter_deinit)
	struct lvs_exporter lvs_exporter = LVS_EXPORTER_INIT(temporary_folder);
	cleanup_free char *folder = in_temporary_folder("lvs");
	cleanup_buf struct buf answer = BUF_INIT(ANSWER_MAX_BYTES);
	struct ipvs ipvs;

	(void)state;
	fake_ipvs_init(&ipvs, 0);
	fake_ipvs_kernel = &ipvs;
	assert_string_equal(scraped(&lvs_exporter, haproxys, 10, &answer),
		STATUS_BECOMES QUEUE_BECOMES WEIGHT_BECOMES);
	assert_int_equal(directory_make(folder, 0755, NULL), 0);
	lvs_exporter_refresh(&lvs_exporter, LVS_EXPORTER_FRESH_MS);
	assert_null(lvs_exporter.ipvs);
	assert_int_equal(ipvs.asked, 0);
}

static void scrapes_that_come_close_together_share_what_was_read(void **state)
{
	struct scene scene;

	(void)state;
	scene_start(&scene);
	for (int64_t now_ms = 5000; now_ms < 5000 + LVS_EXPORTER_FRESH_MS; now_ms += 100)
		lvs_exporter_refresh(&scene.lvs_exporter, now_ms);
	assert_int_equal(scene.ipvs.asked, 1);
	lvs_exporter_refresh(&scene.lvs_exporter, 5000 + LVS_EXPORTER_FRESH_MS);
	assert_int_equal(scene.ipvs.asked, 2);
	assert_int_equal(scene.lvs_exporter.observation.listener_count, 1);
	scene_stop(&scene);
}

static void a_kernel_that_does_not_answer_costs_its_own_part_only(void **state)
{
	cleanup_buf struct buf answer = BUF_INIT(ANSWER_MAX_BYTES);
	struct scene scene;

	(void)state;
	scene_start(&scene);
	scene.ipvs.result = -EPERM;
	assert_string_equal(scraped(&scene.lvs_exporter, haproxys, 0, &answer), STATUS_BECOMES
		"octavia_listener_status{listener=\"L\",state=\"DOWN\"} 0\n"
		"octavia_listener_status{listener=\"L\",state=\"UP\"} 1\n" QUEUE_BECOMES
			WEIGHT_BECOMES);
	lvs_exporter_refresh(&scene.lvs_exporter, LVS_EXPORTER_FRESH_MS);
	assert_int_equal(captured_log_count(&scene.log, "without traffic and pools"), 1);
	scene_stop(&scene);
}

static void a_way_to_the_kernel_that_cannot_be_opened_is_tried_again(void **state)
{
	struct scene scene;

	(void)state;
	scene_start(&scene);
	fake_ipvs_kernel = NULL;
	for (unsigned i = 0; i < 3; i++)
		lvs_exporter_refresh(&scene.lvs_exporter, i * LVS_EXPORTER_FRESH_MS);
	assert_int_equal(scene.lvs_exporter.observation.listener_count, 0);
	assert_int_equal(captured_log_count(&scene.log, "LVS listeners are left out"), 1);
	fake_ipvs_kernel = &scene.ipvs;
	lvs_exporter_refresh(&scene.lvs_exporter, 3 * LVS_EXPORTER_FRESH_MS);
	assert_int_equal(scene.lvs_exporter.observation.listener_count, 1);
	assert_int_equal(captured_log_count(&scene.log, "LVS listeners are served"), 1);
	scene_stop(&scene);
}

/* More than any buffer on the way holds, some of it before HAProxy's last line. */
static void a_thousand_members_arrive_in_order(void **state)
{
	enum { MEMBERS = 1000 };
	cleanup_buf struct buf config = BUF_INIT(MIB);
	cleanup_buf struct buf answer = BUF_INIT(ANSWER_MAX_BYTES);
	struct scene scene;
	const char *at;

	(void)state;
	scene_start(&scene);
	buf_append_text(&config, "virtual_server_group ipv4-group {\n    10.0.0.10 53\n}\n"
				 "virtual_server group ipv4-group {\n    protocol UDP\n"
				 "    # Configuration for Pool P\n");
	for (unsigned i = MEMBERS; i-- > 0;)
		buf_append_format(&config, "    # Member %036u is disabled\n", i);
	buf_append_text(&config, "}\n");
	lvs_listener_install(&listener, buf_text(&config));
	at = scraped(&scene.lvs_exporter,
		"# HELP haproxy_server_status x\n# TYPE haproxy_server_status gauge\n"
		"haproxy_server_status{proxy=\"Q:F\",server=\"N\",state=\"UP\"} 1\n"
		"# HELP haproxy_server_max_queue x\n# TYPE haproxy_server_max_queue gauge\n"
		"haproxy_server_max_queue{proxy=\"Q:F\",server=\"N\"} 1\n",
		100, &answer);
	assert_families_are_whole(at);
	at = strstr(at, "{pool=\"P:L\",member=");
	for (unsigned i = 0; i < MEMBERS; i++) {
		cleanup_free char *label = xformat("{pool=\"P:L\",member=\"%036u\",", i);
		unsigned lines = 0;

		for (; at && strncmp(at, label, strlen(label)) == 0; lines++)
			at = strstr(at + 1, "{pool=");
		assert_int_equal(lines, 5);
	}
	assert_begins_with(at, "{pool=\"Q:F\",member=\"N\"} 1\n");
	scene_stop(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_temporary_folder(
			samples_stand_at_the_end_of_their_family_wherever_the_bytes_are_cut),
		with_temporary_folder(without_an_lvs_listener_nothing_is_added_and_nothing_opened),
		with_temporary_folder(scrapes_that_come_close_together_share_what_was_read),
		with_temporary_folder(a_kernel_that_does_not_answer_costs_its_own_part_only),
		with_temporary_folder(a_way_to_the_kernel_that_cannot_be_opened_is_tried_again),
		with_temporary_folder(a_thousand_members_arrive_in_order),
	};

	return cmocka_run_group_tests_name("prometheus_lvs", tests, NULL, NULL);
}
