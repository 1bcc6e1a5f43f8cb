/* SPDX-License-Identifier: Apache-2.0 */
#include "render/keepalived_lvs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lvs/config.h"
#include "model_case.h"
#include "real_keepalived.h"
#include "rendered_keepalived.h"

/* A UDP listener with three members that are checked; each test changes what it is about. */
enum { VIPS = 3, MEMBERS = 4 };
static struct vip vips[VIPS];
static struct member members[MEMBERS];
static struct health_monitor monitor;
static struct pool pool;
static struct listener listener;
static struct load_balancer load_balancer;
static uint16_t codes[500];
/* keepalived wants scripts that are there. */
static struct keepalived_lvs_options options;

static struct address address(const char *text)
{
	struct address parsed;

	assert_int_equal(address_parse(text, &parsed), 0);
	return parsed;
}

static int setup(void **state)
{
	static const char *const addresses[MEMBERS] = {
		"203.0.113.1", "203.0.113.2", "2001:db8:1::1", "2001:db8:1::2"};
	static const char *const vip_addresses[VIPS] = {
		"198.51.100.10", "198.51.100.11", "2001:db8::10"};

	for (size_t i = 0; i < VIPS; i++)
		vips[i] = (struct vip){.address = address(vip_addresses[i])};
	for (size_t i = 0; i < MEMBERS; i++) {
		members[i] = (struct member){.admin_state_up = true,
			.address = address(addresses[i]),
			.protocol_port = 5353,
			.weight = (uint16_t)(i + 1)};
		snprintf(members[i].id.text, sizeof(members[i].id.text), "member-%zu", i + 1);
	}
	monitor = (struct health_monitor){.id = {"monitor-1"},
		.admin_state_up = true,
		.type = HEALTH_MONITOR_UDP_CONNECT,
		.delay_ms = 5000,
		.timeout_ms = 3000,
		.max_retries = 2,
		.max_retries_down = 4};
	pool = (struct pool){.id = {"pool-1"},
		.admin_state_up = true,
		.protocol = POOL_UDP,
		.members = members,
		.member_count = 2,
		.health_monitor = &monitor};
	listener = (struct listener){.id = {"listener-1"},
		.admin_state_up = true,
		.protocol = LISTENER_UDP,
		.protocol_port = 53,
		.default_pool = &pool};
	load_balancer = (struct load_balancer){.id = {"lb-1"},
		.admin_state_up = true,
		.vips = vips,
		.vip_count = 1,
		.listeners = &listener,
		.listener_count = 1};
	options = (struct keepalived_lvs_options){.template_dir = "templates",
		.network_namespace = namespace_name,
		.udp_check_script = "/bin/true",
		.health_checker = "/bin/false"};
	return keepalived_setup(state);
}

/* Whether keepalived has a way to check them. */
static bool members_are_checked(void)
{
	if (!pool.health_monitor || !monitor.admin_state_up)
		return false;
	return monitor.type != HEALTH_MONITOR_HTTP || strcmp(monitor.request.method, "GET") == 0;
}

static bool has_vip_of(int family)
{
	for (size_t i = 0; i < load_balancer.vip_count; i++)
		if (vips[i].address.family == family)
			return true;
	return false;
}

static void assert_members_read_back(const struct lvs_config *config, int family, size_t *index)
{
	for (size_t i = 0; i < pool.member_count && pool.admin_state_up; i++) {
		const struct member *member = &members[i];
		const struct lvs_member *read = &config->members[*index];

		if (member->address.family != family || !has_vip_of(family))
			continue;
		assert_in_range(*index, 0, config->member_count - 1);
		assert_string_equal(read->id.text, member->id.text);
		assert_int_equal(read->is_disabled, !member->admin_state_up);
		assert_int_equal(
			read->has_checker, member->admin_state_up && members_are_checked());
		if (member->admin_state_up) {
			assert_true(address_equal(&read->endpoint.address, &member->address));
			assert_int_equal(read->endpoint.port, member->protocol_port);
		}
		++*index;
	}
}

/* The text says to us what the model says, no more and no less. */
static void assert_reads_back(const char *text)
{
	bool serves =
		load_balancer.admin_state_up && listener.admin_state_up && listener.default_pool;
	cleanup_lvs_config struct lvs_config config;
	size_t count = 0;

	lvs_config_parse(text, strlen(text), &config);
	assert_true(config.has_listener);
	assert_string_equal(config.listener.text, listener.id.text);
	assert_int_equal(config.is_disabled, !listener.admin_state_up);
	assert_int_equal(config.virtual_server_count, serves ? load_balancer.vip_count : 0);
	assert_int_equal(config.has_pool, serves);
	if (serves) {
		assert_string_equal(config.pool.text, pool.id.text);
		assert_int_equal(config.is_pool_disabled, !pool.admin_state_up);
		assert_int_equal(config.is_sctp, listener.protocol == LISTENER_SCTP);
		for (size_t i = 0; i < config.virtual_server_count; i++)
			assert_int_equal(config.virtual_servers[i].port, listener.protocol_port);
		assert_members_read_back(&config, AF_INET, &count);
		assert_members_read_back(&config, AF_INET6, &count);
	}
	assert_int_equal(config.member_count, count);
}

/* The text, which keepalived takes and we read as the model; the caller frees. */
static char *render(void)
{
	cleanup_buf struct buf text = BUF_INIT(MIB);
	struct err err = ERR_NONE;

	if (render_keepalived_lvs(&load_balancer, &listener, &options, &text, &err) < 0)
		fail_msg("%s", err.text);
	assert_keepalived_takes(buf_text(&text));
	assert_reads_back(buf_text(&text));
	return buf_take_text(&text);
}

static void assert_rendered(const char *part)
{
	cleanup_free char *text = render();

	assert_holds(text, part);
}

static void assert_not_rendered(const char *part)
{
	cleanup_free char *text = render();

	assert_lacks(text, part);
}

static void a_listener_is_a_group_of_vips_and_a_server_over_its_members(void **state)
{
	cleanup_free char *text = NULL;
	cleanup_free char *expected = xformat("# Configuration for Loadbalancer lb-1\n"
					      "# Configuration for Listener listener-1\n"
					      "\n"
					      "net_namespace %s\n"
					      "\n"
					      "virtual_server_group ipv4-group {\n"
					      "    198.51.100.10 53\n"
					      "}\n"
					      "\n"
					      "virtual_server group ipv4-group {\n"
					      "    lb_algo wrr\n"
					      "    lb_kind NAT\n"
					      "    protocol UDP\n"
					      "\n"
					      "    # Configuration for Pool pool-1\n"
					      "    # Configuration for Member member-1\n"
					      "    real_server 203.0.113.1 5353 {\n"
					      "        weight 1\n"
					      "    }\n"
					      "    # Configuration for Member member-2\n"
					      "    real_server 203.0.113.2 5353 {\n"
					      "        weight 2\n"
					      "    }\n"
					      "}\n",
		namespace_name);

	(void)state;
	pool.health_monitor = NULL;
	text = render();
	assert_string_equal(text, expected);
}

static void members_of_a_monitored_pool_are_checked(void **state)
{
	(void)state;
	assert_rendered("    protocol UDP\n"
			"    delay_loop 5\n"
			"    delay_before_retry 5\n"
			"    retry 4\n"
			"\n"
			"    # Configuration for Pool pool-1\n"
			"    # Configuration for HealthMonitor monitor-1\n"
			"    # Configuration for Member member-1\n"
			"    real_server 203.0.113.1 5353 {\n"
			"        weight 1\n"
			"        MISC_CHECK {\n"
			"            misc_path \"/bin/true 203.0.113.1 5353\"\n"
			"            misc_timeout 3\n"
			"        }\n"
			"    }\n");
}

static void a_monitor_that_is_down_checks_nobody(void **state)
{
	(void)state;
	monitor.admin_state_up = false;
	assert_not_rendered("CHECK");
	assert_not_rendered("delay_loop");
	assert_not_rendered("HealthMonitor");
}

static void scripts_with_unusual_names_are_found(void **state)
{
	cleanup_free char *script = in_temporary_folder("a check#1 {!}");
	cleanup_free char *expected =
		xformat("            misc_path \"'%s' 203.0.113.1 5353\"\n", script);

	(void)state;
	assert_int_equal(file_replace(script, "#!/bin/sh\n", 10, 0755, NULL), 0);
	options.udp_check_script = script;
	assert_rendered(expected);
}

static void sctp_is_asked_by_the_checker_which_ends_before_it_is_killed(void **state)
{
	(void)state;
	listener.protocol = LISTENER_SCTP;
	pool.protocol = POOL_SCTP;
	monitor.type = HEALTH_MONITOR_SCTP;
	assert_rendered("    protocol SCTP\n");
	assert_rendered("        MISC_CHECK {\n"
			"            misc_path \"/bin/false sctp -t 3 203.0.113.1 5353\"\n"
			"            misc_timeout 4\n"
			"        }\n");
}

static void members_are_checked_where_they_say(void **state)
{
	(void)state;
	members[0].monitor_address = address("203.0.113.77");
	members[1].monitor_port = 7070;
	assert_rendered("            misc_path \"/bin/true 203.0.113.77 5353\"\n");
	assert_rendered("            misc_path \"/bin/true 203.0.113.2 7070\"\n");
	monitor.type = HEALTH_MONITOR_TCP;
	assert_rendered("    real_server 203.0.113.1 5353 {\n"
			"        weight 1\n"
			"        TCP_CHECK {\n"
			"            connect_ip 203.0.113.77\n"
			"            connect_port 5353\n"
			"            connect_timeout 3\n"
			"        }\n"
			"    }\n");
	assert_rendered("            connect_ip 203.0.113.2\n"
			"            connect_port 7070\n");
}

static void parts_of_seconds_are_kept_where_keepalived_counts_them(void **state)
{
	(void)state;
	monitor.delay_ms = 1500;
	monitor.timeout_ms = 250;
	assert_rendered("    delay_loop 1.500\n"
			"    delay_before_retry 1.500\n");
	/* A whole number there. */
	assert_rendered("            misc_timeout 1\n");
	monitor.type = HEALTH_MONITOR_TCP;
	assert_rendered("            connect_timeout 0.250\n");
}

static void the_longest_times_of_a_model_are_taken(void **state)
{
	(void)state;
	monitor.delay_ms = 1000L * HEALTH_MONITOR_SECONDS_MAX;
	monitor.timeout_ms = 1000L * HEALTH_MONITOR_LVS_TIMEOUT_MAX_S;
	assert_rendered("    delay_loop 2073600\n");
	assert_rendered("            misc_timeout 4293\n");
	monitor.type = HEALTH_MONITOR_TCP;
	assert_rendered("            connect_timeout 4293\n");
	monitor.type = HEALTH_MONITOR_SCTP;
	assert_rendered("            misc_timeout 4294\n");
}

static void monitor_asks_for(const char *path)
{
	monitor.type = HEALTH_MONITOR_HTTP;
	monitor.request = (struct health_monitor_request){
		.method = "GET", .path = (char *)path, .codes = codes, .code_count = 1};
	codes[0] = 200;
}

static void an_http_monitor_asks_for_its_path(void **state)
{
	(void)state;
	monitor_asks_for("/healthz?full=1&b=%20");
	assert_rendered("        HTTP_GET {\n"
			"            url {\n"
			"                path /healthz?full=1&b=%20\n"
			"                status_code 200\n"
			"            }\n"
			"            connect_ip 203.0.113.1\n"
			"            connect_port 5353\n"
			"            connect_timeout 3\n"
			"        }\n");
}

static void what_means_something_to_keepalived_is_quoted(void **state)
{
	(void)state;
	monitor_asks_for("/a!b{c}'d\\e$1");
	assert_rendered("                path \"/a!b{c}'d\\e$1\"\n");
}

static void any_of_the_expected_codes_will_do(void **state)
{
	(void)state;
	monitor_asks_for("/");
	memcpy(codes, (uint16_t[]){200, 202, 203, 204, 301}, 5 * sizeof(*codes));
	monitor.request.code_count = 5;
	assert_rendered("            url {\n"
			"                path /\n"
			"                status_code 200 202-204 301\n"
			"            }\n"
			"            connect_ip 203.0.113.1\n");
	for (size_t i = 0; i < 500; i++)
		codes[i] = (uint16_t)(100 + i);
	monitor.request.code_count = 500;
	assert_rendered("                status_code 100-599\n");
}

static void the_host_of_a_request_is_asked_for(void **state)
{
	(void)state;
	monitor_asks_for("/");
	monitor.request.version = "1.1";
	monitor.request.host = (char *)"www.example.com";
	assert_rendered("        HTTP_GET {\n"
			"            http_protocol 1.1\n"
			"            virtualhost www.example.com\n"
			"            url {\n");
	monitor.request.version = "1.0";
	monitor.request.host = NULL;
	assert_rendered("        HTTP_GET {\n"
			"            url {\n");
}

static void what_keepalived_cannot_ask_is_not_checked(void **state)
{
	(void)state;
	monitor_asks_for("/");
	monitor.request.method = "HEAD";
	assert_not_rendered("HTTP_GET");
}

static void algorithms_have_their_names_in_ipvs(void **state)
{
	(void)state;
	pool.lb_algorithm = LB_LEAST_CONNECTIONS;
	assert_rendered("    lb_algo lc\n");
	pool.lb_algorithm = LB_SOURCE_IP;
	assert_rendered("    lb_algo sh\n");
}

static void a_connection_limit_is_each_members(void **state)
{
	(void)state;
	assert_not_rendered("uthreshold");
	listener.connection_limit = 1000;
	assert_rendered("        weight 1\n"
			"        uthreshold 1000\n");
}

static void persistence_keeps_single_clients_for_six_minutes_unless_it_says_else(void **state)
{
	(void)state;
	assert_not_rendered("persistence");
	pool.session_persistence.type = PERSISTENCE_SOURCE_IP;
	assert_rendered("    protocol UDP\n"
			"    persistence_timeout 360\n"
			"    persistence_granularity 255.255.255.255\n"
			"    delay_loop 5\n");
	pool.session_persistence.timeout_s = 20;
	pool.session_persistence.granularity = (char *)"255.255.0.0";
	assert_rendered("    persistence_timeout 20\n"
			"    persistence_granularity 255.255.0.0\n");
}

static void each_family_has_a_granularity_that_it_knows(void **state)
{
	(void)state;
	load_balancer.vip_count = 3;
	pool.member_count = 4;
	pool.session_persistence.type = PERSISTENCE_SOURCE_IP;
	pool.session_persistence.granularity = (char *)"255.255.0.0";
	assert_rendered("    persistence_granularity 255.255.0.0\n");
	assert_rendered("    persistence_granularity 128\n");
	pool.session_persistence.granularity = (char *)"64";
	assert_rendered("    persistence_granularity 255.255.255.255\n");
	assert_rendered("    persistence_granularity 64\n");
}

static void vips_and_members_are_grouped_by_family(void **state)
{
	(void)state;
	load_balancer.vip_count = 3;
	pool.member_count = 4;
	pool.health_monitor = NULL;
	assert_rendered("virtual_server_group ipv4-group {\n"
			"    198.51.100.10 53\n"
			"    198.51.100.11 53\n"
			"}\n");
	assert_rendered("virtual_server_group ipv6-group {\n"
			"    2001:db8::10 53\n"
			"}\n"
			"\n"
			"virtual_server group ipv6-group {\n"
			"    lb_algo wrr\n"
			"    lb_kind NAT\n"
			"    protocol UDP\n"
			"\n"
			"    # Configuration for Pool pool-1\n"
			"    # Configuration for Member member-3\n"
			"    real_server 2001:db8:1::1 5353 {\n"
			"        weight 3\n"
			"    }\n"
			"    # Configuration for Member member-4\n"
			"    real_server 2001:db8:1::2 5353 {\n"
			"        weight 4\n"
			"    }\n"
			"}\n");
}

static void a_family_without_members_is_there_and_one_without_a_vip_is_not(void **state)
{
	(void)state;
	pool.member_count = 4;
	assert_not_rendered("ipv6-group");
	assert_not_rendered("member-3");
	load_balancer.vip_count = 3;
	pool.member_count = 0;
	assert_rendered("virtual_server group ipv4-group {\n");
	assert_rendered("virtual_server group ipv6-group {\n");
}

static void a_member_that_is_down_is_a_comment(void **state)
{
	(void)state;
	members[0].admin_state_up = false;
	assert_rendered("    # Member member-1 is disabled\n"
			"    # Configuration for Member member-2\n"
			"    real_server 203.0.113.2 5353 {\n");
	assert_not_rendered("203.0.113.1 ");
}

static void a_pool_that_is_down_has_no_members(void **state)
{
	(void)state;
	pool.admin_state_up = false;
	assert_rendered("    # Pool pool-1 is disabled\n"
			"    # Configuration for HealthMonitor monitor-1\n"
			"}\n");
}

static void a_listener_that_is_down_serves_nothing(void **state)
{
	cleanup_free char *text = NULL;

	(void)state;
	listener.admin_state_up = false;
	options.network_namespace = "";
	text = render();
	assert_string_equal(text, "# Configuration for Loadbalancer lb-1\n"
				  "# Listener listener-1 is disabled\n");
}

static void a_load_balancer_that_is_down_serves_nothing(void **state)
{
	(void)state;
	load_balancer.admin_state_up = false;
	assert_rendered("# Configuration for Listener listener-1\n");
	assert_not_rendered("virtual_server");
}

static void a_listener_without_a_pool_serves_nothing(void **state)
{
	(void)state;
	listener.default_pool = NULL;
	assert_not_rendered("virtual_server");
}

static void a_member_that_drains_has_no_weight(void **state)
{
	(void)state;
	members[0].weight = 0;
	assert_rendered("    real_server 203.0.113.1 5353 {\n"
			"        weight 0\n");
}

static void backup_members_serve_like_others(void **state)
{
	cleanup_free char *text = NULL;

	(void)state;
	text = render();
	members[0].backup = true;
	assert_rendered(text + 1 + strcspn(text, "\n"));
}

/* What a controller of release 16 sent, but for empty lines. */
static void a_controllers_config_is_rendered_again(void **state)
{
	static const char controllers[] =
		"# Configuration for Loadbalancer db9840d7-00a6-4952-a49f-e822f3f29731\n"
		"# Configuration for Listener f31792aa-3a44-4dcd-8479-d7733927540a\n"
		"\n"
		"net_namespace amphora-haproxy\n"
		"\n"
		"virtual_server_group ipv4-group {\n"
		"    198.51.100.10 53\n"
		"}\n"
		"\n"
		"virtual_server group ipv4-group {\n"
		"    lb_algo wrr\n"
		"    lb_kind NAT\n"
		"    protocol UDP\n"
		"    persistence_timeout 360\n"
		"    persistence_granularity 255.255.255.255\n"
		"    delay_loop 5\n"
		"    delay_before_retry 5\n"
		"    retry 3\n"
		"\n"
		"    # Configuration for Pool be2898e7-3560-4a58-b4d1-74a482cae249\n"
		"    # Configuration for HealthMonitor d8a5f76b-fcbe-4195-a219-af6cf2675b74\n"
		"    # Configuration for Member bc8d7c41-c8a2-4358-b3bd-3efba3f2788a\n"
		"    real_server 203.0.113.201 53 {\n"
		"        weight 1\n"
		"        MISC_CHECK {\n"
		"            misc_path \"/var/lib/octavia/lvs/check/udp_check.sh 203.0.113.201 "
		"53\"\n"
		"            misc_timeout 3\n"
		"        }\n"
		"    }\n"
		"}\n";
	cleanup_buf struct buf text = BUF_INIT(MIB);

	(void)state;
	load_balancer.id = (struct id){"db9840d7-00a6-4952-a49f-e822f3f29731"};
	listener.id = (struct id){"f31792aa-3a44-4dcd-8479-d7733927540a"};
	pool.id = (struct id){"be2898e7-3560-4a58-b4d1-74a482cae249"};
	pool.member_count = 1;
	pool.session_persistence.type = PERSISTENCE_SOURCE_IP;
	monitor.id = (struct id){"d8a5f76b-fcbe-4195-a219-af6cf2675b74"};
	monitor.max_retries_down = 3;
	members[0].id = (struct id){"bc8d7c41-c8a2-4358-b3bd-3efba3f2788a"};
	members[0].address = address("203.0.113.201");
	members[0].protocol_port = 53;
	options.network_namespace = "amphora-haproxy";
	options.udp_check_script = "/var/lib/octavia/lvs/check/udp_check.sh";
	assert_int_equal(
		render_keepalived_lvs(&load_balancer, &listener, &options, &text, NULL), 0);
	assert_string_equal(buf_text(&text), controllers);
}

static void a_model_in_json_says_the_same(void **state)
{
	cleanup_model struct model_case model = model_parse(
		"{'id': 'lb', 'vip_address': '198.51.100.10', 'listeners': [{'id': 'listener-1', "
		"'protocol': 'UDP', 'protocol_port': 53, 'default_pool': {'id': 'pool-1', "
		"'protocol': 'UDP', 'lb_algorithm': 'SOURCE_IP', 'session_persistence': {'type': "
		"'SOURCE_IP'}, 'members': [{'id': 'member-1', 'address': '203.0.113.1', "
		"'protocol_port': 53}], 'healthmonitor': {'id': 'monitor-1', 'type': 'HTTP', "
		"'delay': '1500ms', 'timeout': 1, 'max_retries': 3, 'url_path': '/a{b}', "
		"'expected_codes': '200-204', 'http_version': 1.1, 'domain_name': "
		"'www.example.com'}}}]}");
	cleanup_buf struct buf text = BUF_INIT(MIB);

	(void)state;
	assert_non_null(model.load_balancer);
	options.network_namespace = "amphora-haproxy";
	assert_int_equal(render_keepalived_lvs(model.load_balancer,
				 &model.load_balancer->listeners[0], &options, &text, NULL),
		0);
	assert_string_equal(buf_text(&text), "# Configuration for Loadbalancer lb\n"
					     "# Configuration for Listener listener-1\n"
					     "\n"
					     "net_namespace amphora-haproxy\n"
					     "\n"
					     "virtual_server_group ipv4-group {\n"
					     "    198.51.100.10 53\n"
					     "}\n"
					     "\n"
					     "virtual_server group ipv4-group {\n"
					     "    lb_algo sh\n"
					     "    lb_kind NAT\n"
					     "    protocol UDP\n"
					     "    persistence_timeout 360\n"
					     "    persistence_granularity 255.255.255.255\n"
					     "    delay_loop 1.500\n"
					     "    delay_before_retry 1.500\n"
					     "    retry 3\n"
					     "\n"
					     "    # Configuration for Pool pool-1\n"
					     "    # Configuration for HealthMonitor monitor-1\n"
					     "    # Configuration for Member member-1\n"
					     "    real_server 203.0.113.1 53 {\n"
					     "        weight 1\n"
					     "        HTTP_GET {\n"
					     "            http_protocol 1.1\n"
					     "            virtualhost www.example.com\n"
					     "            url {\n"
					     "                path \"/a{b}\"\n"
					     "                status_code 200-204\n"
					     "            }\n"
					     "            connect_ip 203.0.113.1\n"
					     "            connect_port 53\n"
					     "            connect_timeout 1\n"
					     "        }\n"
					     "    }\n"
					     "}\n");
}

static void a_text_that_is_too_long_is_refused(void **state)
{
	cleanup_buf struct buf text = BUF_INIT(100);

	(void)state;
	assert_int_equal(
		render_keepalived_lvs(&load_balancer, &listener, &options, &text, NULL), -EMSGSIZE);
}

#define with_model(test) cmocka_unit_test_setup_teardown(test, setup, keepalived_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_model(a_listener_is_a_group_of_vips_and_a_server_over_its_members),
		with_model(members_of_a_monitored_pool_are_checked),
		with_model(a_monitor_that_is_down_checks_nobody),
		with_model(scripts_with_unusual_names_are_found),
		with_model(sctp_is_asked_by_the_checker_which_ends_before_it_is_killed),
		with_model(members_are_checked_where_they_say),
		with_model(parts_of_seconds_are_kept_where_keepalived_counts_them),
		with_model(the_longest_times_of_a_model_are_taken),
		with_model(an_http_monitor_asks_for_its_path),
		with_model(what_means_something_to_keepalived_is_quoted),
		with_model(any_of_the_expected_codes_will_do),
		with_model(the_host_of_a_request_is_asked_for),
		with_model(what_keepalived_cannot_ask_is_not_checked),
		with_model(algorithms_have_their_names_in_ipvs),
		with_model(a_connection_limit_is_each_members),
		with_model(persistence_keeps_single_clients_for_six_minutes_unless_it_says_else),
		with_model(each_family_has_a_granularity_that_it_knows),
		with_model(vips_and_members_are_grouped_by_family),
		with_model(a_family_without_members_is_there_and_one_without_a_vip_is_not),
		with_model(a_member_that_is_down_is_a_comment),
		with_model(a_pool_that_is_down_has_no_members),
		with_model(a_listener_that_is_down_serves_nothing),
		with_model(a_load_balancer_that_is_down_serves_nothing),
		with_model(a_listener_without_a_pool_serves_nothing),
		with_model(a_member_that_drains_has_no_weight),
		with_model(backup_members_serve_like_others),
		with_model(a_controllers_config_is_rendered_again),
		with_model(a_model_in_json_says_the_same),
		with_model(a_text_that_is_too_long_is_refused),
	};

	return cmocka_run_group_tests_name("render_keepalived_lvs", tests, NULL, NULL);
}
