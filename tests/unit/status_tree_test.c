/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "deploy/status_tree.h"

static const char csv_head[] =
	"# pxname,svname,scur,status,weight,lastchg,check_status,check_code,check_duration,"
	"last_chk,addr,bin,bout,stot,ereq\n";

static const char model_text[] =
	"{\"name\": \"web\", \"vip_address\": \"10.0.0.10\", \"listeners\": [{\"id\": \"L1\", "
	"\"name\": \"http\", \"protocol\": \"HTTP\", \"protocol_port\": 80, \"default_pool\": "
	"{\"id\": \"P1\", \"name\": \"servers\", \"protocol\": \"HTTP\", \"lb_algorithm\": "
	"\"ROUND_ROBIN\", \"members\": [{\"id\": \"M1\", \"name\": \"one\", \"address\": "
	"\"10.0.1.1\", \"protocol_port\": 8080}, {\"id\": \"M2\", \"address\": \"10.0.1.2\", "
	"\"protocol_port\": 8080}], \"healthmonitor\": {\"id\": \"H1\", \"type\": \"HTTP\", "
	"\"delay\": 5, \"timeout\": 2, \"max_retries\": 2}}}, {\"id\": \"L2\", \"protocol\": "
	"\"TCP\", \"protocol_port\": 81, \"admin_state_up\": false}]}";

static const char config_text[] = "frontend L1\n bind 10.0.0.10:80\n mode http\n"
				  "backend P1:L1\n mode http\n"
				  " server M1 fd00::1:8080 weight 1\n";

static const struct id id = {.text = "LB1"};

static const struct lvs_listener_list lvs_listeners;

/* The tree for rows, with the model or without. */
static json_t *tree_of(const char *rows, bool with_model, bool stopped)
{
	struct haproxy_stats stats = {0};
	struct haproxy_config config;
	struct haproxy_servers servers;
	struct faults faults = {0};
	struct load_balancer *model = NULL;
	json_t *tree;

	assert_int_equal(haproxy_stats_parse(xformat("%s%s\n", csv_head, rows), &stats, NULL), 0);
	haproxy_config_parse(config_text, strlen(config_text), &config);
	haproxy_servers_parse(config_text, strlen(config_text), &servers);
	if (with_model)
		assert_int_equal(load_balancer_parse(model_text, strlen(model_text), &id, &faults,
					 &model, NULL),
			0);
	tree = status_tree(&(const struct status_input){.id = &id,
		.model = model,
		.config = &config,
		.servers = &servers,
		.stats = &stats,
		.stopped = stopped,
		.lvs_listeners = &lvs_listeners});
	faults_deinit(&faults);
	load_balancer_free(model);
	haproxy_servers_deinit(&servers);
	haproxy_config_deinit(&config);
	haproxy_stats_deinit(&stats);
	return tree;
}

static const char both_up[] = "L1,FRONTEND,0,OPEN,,,,,,,,1,2,3,4\n"
			      "P1:L1,M1,2,UP,1,7,L7OK,200,3,OK,10.0.1.1:8080,,,,\n"
			      "P1:L1,M2,0,UP,1,7,L7OK,200,3,OK,10.0.1.2:8080,,,,\n"
			      "P1:L1,BACKEND,0,UP,2,7,,,,,,,,,\n";
static const char one_down[] = "L1,FRONTEND,0,OPEN,,,,,,,,1,2,3,4\n"
			       "P1:L1,M1,2,UP,1,7,L7OK,200,3,OK,10.0.1.1:8080,,,,\n"
			       "P1:L1,M2,0,DOWN,1,9,L4CON,,1,refused,10.0.1.2:8080,,,,\n"
			       "P1:L1,BACKEND,0,UP,1,7,,,,,,,,,\n";
static const char all_down[] = "L1,FRONTEND,0,FULL,,,,,,,,1,2,3,4\n"
			       "P1:L1,M1,0,DOWN 1/2,1,9,L4CON,,1,refused,,,,,\n"
			       "P1:L1,BACKEND,0,DOWN,0,7,,,,,,,,,\n";

static json_t *at(json_t *json, const char *key)
{
	json_t *value = json_object_get(json, key);

	assert_non_null(value);
	return value;
}

static json_t *load_balancer_in(json_t *tree)
{
	return at(at(tree, "statuses"), "loadbalancer");
}

static json_t *listener_in(json_t *tree, size_t index)
{
	return json_array_get(at(load_balancer_in(tree), "listeners"), index);
}

static json_t *pool_in(json_t *tree)
{
	return json_array_get(at(listener_in(tree, 0), "pools"), 0);
}

static json_t *member_in(json_t *tree, size_t index)
{
	return json_array_get(at(pool_in(tree), "members"), index);
}

static void assert_says(json_t *json, const char *key, const char *wanted)
{
	assert_string_equal(json_string_value(at(json, key)), wanted);
}

static void everything_up_is_online_from_top_to_bottom(void **state)
{
	json_t *tree = tree_of(both_up, true, false);

	(void)state;
	assert_says(load_balancer_in(tree), "id", "LB1");
	assert_says(load_balancer_in(tree), "name", "web");
	assert_says(load_balancer_in(tree), "operating_status", "ONLINE");
	assert_says(listener_in(tree, 0), "operating_status", "ONLINE");
	assert_says(pool_in(tree), "operating_status", "ONLINE");
	assert_says(at(pool_in(tree), "health_monitor"), "type", "HTTP");
	assert_says(member_in(tree, 0), "operating_status", "ONLINE");
	json_decref(tree);
}

static void a_member_tells_what_haproxy_knows_of_it(void **state)
{
	json_t *tree = tree_of(one_down, true, false);
	json_t *member = member_in(tree, 1);

	(void)state;
	assert_says(member, "address", "10.0.1.2");
	assert_int_equal(json_integer_value(at(member, "protocol_port")), 8080);
	assert_says(member, "state", "DOWN");
	assert_int_equal(json_integer_value(at(member, "seconds_since_last_change")), 9);
	assert_says(at(member, "last_check"), "result", "L4CON");
	assert_says(at(member, "last_check"), "text", "refused");
	assert_int_equal(json_integer_value(at(member_in(tree, 0), "current_sessions")), 2);
	assert_int_equal(json_integer_value(at(member_in(tree, 0), "weight")), 1);
	json_decref(tree);
}

/* HAProxy repeats the reason of the member's own HTTP response, byte for byte. */
static void a_member_whose_words_are_no_utf8_is_told_of_all_the_same(void **state)
{
	json_t *tree = tree_of("L1,FRONTEND,0,OPEN,,,,,,,,1,2,3,4\n"
			       "P1:L1,M1,2,DOWN,1,7,L7STS,503,3,kapu\xfft,10.0.1.1:8080,,,,\n"
			       "P1:L1,BACKEND,0,DOWN,0,7,,,,,,,,,\n",
		true, false);
	json_t *member = member_in(tree, 0);

	(void)state;
	assert_says(member, "state", "DOWN");
	assert_says(at(member, "last_check"), "text", "kapu?t");
	json_decref(tree);
}

static void a_member_in_error_degrades_what_is_above_it(void **state)
{
	json_t *tree = tree_of(one_down, true, false);

	(void)state;
	assert_says(member_in(tree, 1), "operating_status", "ERROR");
	assert_says(pool_in(tree), "operating_status", "DEGRADED");
	assert_says(listener_in(tree, 0), "operating_status", "ONLINE");
	assert_says(load_balancer_in(tree), "operating_status", "DEGRADED");
	json_decref(tree);
}

static void a_pool_without_a_working_member_is_an_error(void **state)
{
	json_t *tree = tree_of(all_down, true, false);

	(void)state;
	assert_says(pool_in(tree), "operating_status", "ERROR");
	assert_says(listener_in(tree, 0), "operating_status", "DEGRADED");
	assert_says(load_balancer_in(tree), "operating_status", "ERROR");
	assert_says(member_in(tree, 1), "operating_status", "OFFLINE");
	json_decref(tree);
}

static void what_is_administratively_down_is_offline_and_no_error(void **state)
{
	json_t *tree = tree_of(both_up, true, false);

	(void)state;
	assert_says(listener_in(tree, 1), "id", "L2");
	assert_says(listener_in(tree, 1), "operating_status", "OFFLINE");
	json_decref(tree);
}

static void a_silent_haproxy_is_an_error_unless_it_was_stopped(void **state)
{
	json_t *silent = tree_of("", true, false);
	json_t *stopped = tree_of("", true, true);

	(void)state;
	assert_says(load_balancer_in(silent), "operating_status", "ERROR");
	assert_says(listener_in(silent, 0), "operating_status", "ERROR");
	assert_says(load_balancer_in(stopped), "operating_status", "OFFLINE");
	assert_says(listener_in(stopped, 0), "operating_status", "OFFLINE");
	json_decref(silent);
	json_decref(stopped);
}

static void an_uploaded_config_has_a_tree_too(void **state)
{
	json_t *tree = tree_of(all_down, false, false);

	(void)state;
	assert_says(listener_in(tree, 0), "id", "L1");
	assert_says(pool_in(tree), "id", "P1");
	assert_says(member_in(tree, 0), "id", "M1");
	assert_says(member_in(tree, 0), "address", "fd00::1");
	assert_int_equal(json_integer_value(at(member_in(tree, 0), "protocol_port")), 8080);
	assert_says(member_in(tree, 0), "operating_status", "ERROR");
	json_decref(tree);
}

static const char lvs_model_text[] =
	"{\"vip_address\": \"10.0.0.10\", \"listeners\": [{\"id\": \"U1\", \"protocol\": \"UDP\", "
	"\"protocol_port\": 53, \"default_pool\": {\"id\": \"P1\", \"protocol\": \"UDP\", "
	"\"lb_algorithm\": \"ROUND_ROBIN\", \"members\": [{\"id\": \"M1\", \"address\": "
	"\"10.0.1.1\", \"protocol_port\": 53}, {\"id\": \"M2\", \"address\": \"10.0.1.2\", "
	"\"protocol_port\": 53}], \"healthmonitor\": {\"id\": \"H1\", \"type\": \"UDP-CONNECT\", "
	"\"delay\": 5, \"timeout\": 2, \"max_retries\": 2}}}]}";

static const char lvs_config_text[] =
	"# Configuration for Listener U1\n"
	"virtual_server_group g {\n    10.0.0.10 53\n}\n"
	"virtual_server group g {\n    protocol UDP\n"
	"    # Configuration for Pool P1\n"
	"    # Configuration for Member M1\n"
	"    real_server 10.0.1.1 53 {\n        MISC_CHECK {\n        }\n"
	"    }\n"
	"    # Configuration for Member M2\n"
	"    real_server 10.0.1.2 53 {\n        MISC_CHECK {\n        }\n"
	"    }\n}\n";

/* Of a listener of LVS alone, whose first member the kernel has; HAProxy is stopped. */
static json_t *lvs_tree_of(enum lvs_instance_state state, bool with_model)
{
	struct ipvs_destination destinations[] = {
		{.port = 53, .weight = 3, .active_connections = 7}};
	struct ipvs_service services[] = {
		{.port = 53, .protocol = IPPROTO_UDP, .destination_count = 1}};
	const struct ipvs_table kernel = {services, 1, destinations, 1};
	struct lvs_listener listener = {.id = {.text = "U1"}, .state = state};
	const struct lvs_listener_list list = {&listener, 1};
	cleanup_faults struct faults faults = {0};
	cleanup_load_balancer struct load_balancer *model = NULL;
	struct haproxy_config config = {0};
	struct haproxy_servers servers = {0};
	struct haproxy_stats stats = {0};
	json_t *tree;

	assert_int_equal(address_parse("10.0.1.1", &destinations[0].address), 0);
	assert_int_equal(address_parse("10.0.0.10", &services[0].address), 0);
	lvs_config_parse(lvs_config_text, strlen(lvs_config_text), &listener.config);
	if (state == LVS_INSTANCE_ACTIVE)
		listener.status =
			lvs_status_conclude(&listener.id, &listener.config, &kernel, false);
	if (with_model)
		assert_int_equal(load_balancer_parse(lvs_model_text, strlen(lvs_model_text), &id,
					 &faults, &model, NULL),
			0);
	tree = status_tree(&(const struct status_input){.id = &id,
		.model = model,
		.config = &config,
		.servers = &servers,
		.stats = &stats,
		.stopped = true,
		.lvs_listeners = &list});
	lvs_config_deinit(&listener.config);
	lvs_status_free(listener.status);
	return tree;
}

static void a_udp_listener_tells_what_the_kernel_knows_of_its_members(void **state)
{
	for (int with_model = 0; with_model < 2; with_model++) {
		json_t *tree = lvs_tree_of(LVS_INSTANCE_ACTIVE, with_model);

		(void)state;
		assert_says(load_balancer_in(tree), "operating_status", "DEGRADED");
		assert_says(listener_in(tree, 0), "id", "U1");
		assert_says(listener_in(tree, 0), "operating_status", "ONLINE");
		assert_says(pool_in(tree), "operating_status", "DEGRADED");
		assert_says(member_in(tree, 0), "operating_status", "ONLINE");
		assert_says(member_in(tree, 0), "state", "UP");
		assert_int_equal(json_integer_value(at(member_in(tree, 0), "weight")), 3);
		assert_int_equal(json_integer_value(at(member_in(tree, 0), "current_sessions")), 7);
		assert_true(json_is_null(at(member_in(tree, 0), "last_check")));
		assert_says(member_in(tree, 1), "operating_status", "ERROR");
		json_decref(tree);
	}
}

static void a_udp_listener_without_its_keepalived_is_an_error_unless_it_was_stopped(void **state)
{
	json_t *ended = lvs_tree_of(LVS_INSTANCE_ERROR, true);
	json_t *stopped = lvs_tree_of(LVS_INSTANCE_OFFLINE, true);

	(void)state;
	assert_says(load_balancer_in(ended), "operating_status", "ERROR");
	assert_says(listener_in(ended, 0), "operating_status", "ERROR");
	assert_says(load_balancer_in(stopped), "operating_status", "OFFLINE");
	assert_says(listener_in(stopped, 0), "operating_status", "OFFLINE");
	assert_says(member_in(stopped, 0), "operating_status", "OFFLINE");
	json_decref(ended);
	json_decref(stopped);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_up_is_online_from_top_to_bottom),
		cmocka_unit_test(a_member_tells_what_haproxy_knows_of_it),
		cmocka_unit_test(a_member_whose_words_are_no_utf8_is_told_of_all_the_same),
		cmocka_unit_test(a_member_in_error_degrades_what_is_above_it),
		cmocka_unit_test(a_pool_without_a_working_member_is_an_error),
		cmocka_unit_test(what_is_administratively_down_is_offline_and_no_error),
		cmocka_unit_test(a_silent_haproxy_is_an_error_unless_it_was_stopped),
		cmocka_unit_test(an_uploaded_config_has_a_tree_too),
		cmocka_unit_test(a_udp_listener_tells_what_the_kernel_knows_of_its_members),
		cmocka_unit_test(
			a_udp_listener_without_its_keepalived_is_an_error_unless_it_was_stopped),
	};

	return cmocka_run_group_tests_name("status_tree", tests, NULL, NULL);
}
