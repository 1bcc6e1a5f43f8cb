/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "model_case.h"

static const char smallest[] =
	"{'vip_address': '10.0.0.10', 'listeners': [{'protocol': 'TCP', 'protocol_port': 80, "
	"'default_pool': {'protocol': 'TCP', 'lb_algorithm': 'ROUND_ROBIN',"
	"'members': [{'address': '10.0.1.4', 'protocol_port': 8080}, {'address': '10.0.1.5', "
	"'protocol_port': 8080}],"
	"'healthmonitor': {'type': 'TCP', 'delay': '1m', 'timeout': '30s', 'max_retries': 3}}}]}";

static void the_smallest_useful_model_is_taken(void **state)
{
	cleanup_model struct model_case model = model_parse(smallest);
	const struct load_balancer *balancer = model.load_balancer;

	(void)state;
	assert_non_null(balancer);
	assert_string_equal(balancer->id.text, "lb");
	assert_string_equal(balancer->name, "");
	assert_string_equal(balancer->project_id, "");
	assert_true(balancer->admin_state_up);
	assert_int_equal(balancer->listener_count, 1);
	assert_ptr_equal(balancer->listeners[0].default_pool, balancer->pools.items[0]);
	assert_int_equal(balancer->pools.items[0]->health_monitor->delay_ms, 60000);
	assert_int_equal(balancer->pools.items[0]->health_monitor->timeout_ms, 30000);
	assert_int_equal(model.faults.warnings.count, 0);
	assert_true(load_balancer_has_frontend(balancer));
}

static void it_may_stand_in_octavias_wrapper(void **state)
{
	(void)state;
	assert_faults("{'loadbalancer': {'vip_address': '10.0.0.1'}}", "");
	assert_faults("{'loadbalancer': {}}", "/loadbalancer/vip_address: is required");
	assert_faults("{'loadbalancer': {'vip_address': '10.0.0.1'}, 'x': 1}",
		"/x: is no key of this object");
	assert_faults("{'loadbalancer': []}", "/loadbalancer: must be an object");
}

static void what_is_no_object_is_one_fault(void **state)
{
	(void)state;
	assert_faults("[]", ": must be an object");
	assert_faults("{'vip_address': '10.0.0.1', 'listeners': {}, 'pools': 1}",
		"/pools: must be a list\n/listeners: must be a list");
}

static void the_id_of_the_url_counts(void **state)
{
	(void)state;
	assert_faults("{'vip_address': '10.0.0.1', 'id': 'lb'}", "");
	assert_faults("{'vip_address': '10.0.0.1', 'id': 'other'}",
		"/id: differs from the id that the model is sent to, lb");
}

static void without_a_url_the_documents_id_counts_or_its_vip(void **state)
{
	static const char with_id[] = "{\"vip_address\": \"10.0.0.10\", \"id\": \"mine\"}";
	static const char without[] = "{\"vip_address\": \"10.0.0.10\"}";
	cleanup_model struct model_case named = {0};
	cleanup_model struct model_case derived = {0};

	(void)state;
	assert_int_equal(load_balancer_parse(with_id, strlen(with_id), NULL, &named.faults,
				 &named.load_balancer, NULL),
		0);
	assert_string_equal(named.load_balancer->id.text, "mine");
	assert_int_equal(load_balancer_parse(without, strlen(without), NULL, &derived.faults,
				 &derived.load_balancer, NULL),
		0);
	assert_string_equal(derived.load_balancer->id.text, "51f4e18b-8415-5a25-938a-436816f69180");
}

static void every_fault_is_in_the_answer(void **state)
{
	(void)state;
	assert_faults(
		"{'vip_address': 'x', 'admin_state_up': 1, 'name': 2, 'project_id': "
		"'1234567890123456789012345678901234567', 'typo': 0, 'listeners': [{'protocol': "
		"'X', 'protocol_port': 70000, 'default_pool': {'protocol': 'TCP', 'lb_algorithm': "
		"'ROUND_ROBIN', 'members': [{'address': 5, 'protocol_port': 80}]}}]}",
		"/project_id: must be at most 36 characters long\n"
		"/vip_address: must be an IPv4 or IPv6 address\n"
		"/name: must be a text\n"
		"/admin_state_up: must be true or false\n"
		"/listeners/0/protocol: must be one of HTTP, HTTPS, TCP, TERMINATED_HTTPS, "
		"PROMETHEUS, UDP, SCTP\n"
		"/listeners/0/protocol_port: must be at most 65535\n"
		"/listeners/0/default_pool/members/0/address: must be an IPv4 or IPv6 address\n"
		"/typo: is no key of this object");
}

static void the_error_counts_the_faults(void **state)
{
	static const char text[] = "{\"a\": 1}";
	cleanup_model struct model_case model = {0};
	struct err err = ERR_NONE;

	(void)state;
	assert_int_equal(load_balancer_parse(text, strlen(text), NULL, &model.faults,
				 &model.load_balancer, &err),
		-EINVAL);
	assert_string_equal(err.text, "the model is refused: faults: 2");
}

static void more_faults_than_fit_are_counted(void **state)
{
	cleanup_buf struct buf text = BUF_INIT(MIB);
	cleanup_model struct model_case model = {0};

	(void)state;
	buf_append_text(&text, "{'vip_address': '10.0.0.1', 'listeners': [0");
	for (unsigned i = 0; i < 999; i++)
		buf_append_text(&text, ",0");
	buf_append_text(&text, "]}");
	model = model_parse(buf_text(&text));
	assert_null(model.load_balancer);
	assert_int_equal(model.faults.errors.count, 100);
	assert_int_equal(model.faults.errors.left_out, 900);
}

/* As Octavia's API shows it: shortened, every key that it knows kept. */
static void octavias_answer_can_be_pasted_back(void **state)
{
	(void)state;
	assert_faults(
		"{'loadbalancer': {'id': 'lb', 'name': 'web', 'description': '', 'project_id': "
		"'1234567890abcdef1234567890abcdef', 'tenant_id': "
		"'1234567890abcdef1234567890abcdef', "
		"'admin_state_up': true, 'provisioning_status': 'ACTIVE', 'operating_status': "
		"'ONLINE', "
		"'created_at': '2026-08-20T10:00:00', 'updated_at': null, 'provider': 'octavia', "
		"'flavor_id': null, 'availability_zone': null, 'tags': [], 'vip_address': "
		"'10.0.0.10', "
		"'vip_port_id': 'x', 'vip_subnet_id': 'x', 'vip_network_id': 'x', 'vip_sg_ids': "
		"[], "
		"'vip_qos_policy_id': null, 'vip_vnic_type': 'normal', 'additional_vips': [], "
		"'pools': [{'id': 'p1', 'name': 'pool', 'description': '', 'project_id': 'x', "
		"'tenant_id': 'x', 'admin_state_up': true, 'provisioning_status': 'ACTIVE', "
		"'operating_status': 'ONLINE', 'protocol': 'HTTP', 'lb_algorithm': 'ROUND_ROBIN', "
		"'session_persistence': null, 'loadbalancers': [{'id': 'lb'}], 'listeners': "
		"[{'id': "
		"'l1'}], 'created_at': 'x', 'updated_at': 'x', 'tags': [], 'healthmonitor_id': "
		"'h', "
		"'tls_container_ref': null, 'ca_tls_container_ref': null, 'crl_container_ref': "
		"null, "
		"'tls_enabled': false, 'tls_ciphers': null, 'tls_versions': [], 'alpn_protocols': "
		"[], "
		"'healthmonitor': {'id': 'p1', 'name': '', 'type': 'HTTP', 'delay': 5, 'timeout': "
		"3, "
		"'max_retries': 3, 'max_retries_down': 3, 'http_method': 'GET', 'url_path': '/', "
		"'expected_codes': '200', 'admin_state_up': true, 'project_id': 'x', 'tenant_id': "
		"'x', "
		"'pools': [{'id': 'p1'}], 'provisioning_status': 'ACTIVE', 'operating_status': "
		"'ONLINE', "
		"'created_at': 'x', 'updated_at': null, 'tags': [], 'http_version': null, "
		"'domain_name': "
		"null}, 'members': [{'id': 'm1', 'name': '', 'operating_status': 'ONLINE', "
		"'provisioning_status': 'ACTIVE', 'admin_state_up': true, 'address': '10.0.1.4', "
		"'protocol_port': 80, 'weight': 1, 'backup': false, 'subnet_id': 'x', "
		"'project_id': 'x', "
		"'tenant_id': 'x', 'created_at': 'x', 'updated_at': null, 'monitor_address': null, "
		"'monitor_port': null, 'tags': [], 'vnic_type': 'normal'}]}], "
		"'listeners': [{'id': 'l1', 'name': 'http', 'description': '', "
		"'provisioning_status': "
		"'ACTIVE', 'operating_status': 'ONLINE', 'admin_state_up': true, 'protocol': "
		"'HTTP', "
		"'protocol_port': 80, 'connection_limit': -1, 'default_tls_container_ref': null, "
		"'sni_container_refs': [], 'project_id': 'x', 'tenant_id': 'x', 'default_pool_id': "
		"'p1', "
		"'l7policies': [], 'insert_headers': {}, 'created_at': 'x', 'updated_at': null, "
		"'loadbalancers': [{'id': 'lb'}], 'timeout_client_data': 50000, "
		"'timeout_member_connect': 5000, 'timeout_member_data': 50000, "
		"'timeout_tcp_inspect': 0, "
		"'tags': [], 'client_ca_tls_container_ref': null, 'client_authentication': 'NONE', "
		"'client_crl_container_ref': null, 'allowed_cidrs': null, 'tls_ciphers': null, "
		"'tls_versions': null, 'alpn_protocols': null, 'hsts_max_age': null, "
		"'hsts_include_subdomains': false, 'hsts_preload': false}]}}",
		"");
}

static void a_load_balancer_without_an_open_listener_has_no_frontend(void **state)
{
	cleanup_model struct model_case none = model_parse("{'vip_address': '10.0.0.1'}");
	cleanup_model struct model_case down =
		model_parse(LISTENER_MODEL(", 'admin_state_up': false"));
	cleanup_model struct model_case lvs =
		model_parse("{'vip_address': '10.0.0.1', 'listeners': [{'protocol': 'UDP', "
			    "'protocol_port': 1}]}");
	cleanup_model struct model_case off =
		model_parse("{'vip_address': '10.0.0.1', 'admin_state_up': false, 'listeners': "
			    "[{'protocol': 'TCP', "
			    "'protocol_port': 1}]}");

	(void)state;
	assert_false(load_balancer_has_frontend(none.load_balancer));
	assert_false(load_balancer_has_frontend(down.load_balancer));
	assert_false(load_balancer_has_frontend(lvs.load_balancer));
	assert_false(load_balancer_has_frontend(off.load_balancer));
}

static void listeners_are_so_many_at_most(void **state)
{
	cleanup_buf struct buf text = BUF_INIT(MIB);

	(void)state;
	buf_append_text(&text, "{'vip_address': '10.0.0.1', 'listeners': [{}");
	for (unsigned i = 0; i < 10 * 1000; i++)
		buf_append_text(&text, ",{}");
	buf_append_text(&text, "]}");
	assert_faults(buf_text(&text), "/listeners: must be at most 10000");
}

/* Cut off anywhere, the model is refused; it never crashes the reader. */
static void every_prefix_of_a_model_is_refused(void **state)
{
	cleanup_free char *json = quoted(smallest);

	(void)state;
	for (size_t size = 0; size < strlen(json); size++) {
		cleanup_model struct model_case model = {0};
		cleanup_free char *part = xmemdup_text(json, size);

		assert_int_equal(load_balancer_parse(part, size, NULL, &model.faults,
					 &model.load_balancer, NULL),
			-EINVAL);
	}
}

static void additional_vips_follow_the_first(void **state)
{
	cleanup_model struct model_case model =
		model_parse("{'vip_address': '10.0.0.9', 'additional_vips': [{'ip_address': "
			    "'2001:db8::1'}, {'ip_address': '10.0.0.1', 'subnet_id': 'x'}]}");
	char text[ADDRESS_TEXT_MAX];

	(void)state;
	assert_non_null(model.load_balancer);
	assert_int_equal(model.load_balancer->vip_count, 3);
	address_format(&model.load_balancer->vips[0].address, text);
	assert_string_equal(text, "10.0.0.9");
	address_format(&model.load_balancer->vips[1].address, text);
	assert_string_equal(text, "2001:db8::1");
}

/* Each listener is bound to all of them: the product must stay small. */
static void vips_are_so_many_at_most(void **state)
{
	cleanup_buf struct buf text = BUF_INIT(MIB);
	cleanup_model struct model_case model = {0};

	(void)state;
	buf_append_text(&text, "{'vip_address': '10.0.0.1', 'additional_vips': [");
	for (unsigned i = 0; i < 63; i++)
		buf_append_format(&text, "%s{'ip_address': '10.0.1.%u'}", i ? "," : "", i);
	buf_append_text(&text, "]}");
	model = model_parse(buf_text(&text));
	assert_non_null(model.load_balancer);
	assert_int_equal(model.load_balancer->vip_count, 64);
	text.size_bytes -= 2;
	buf_append_text(&text, ",{'ip_address': '10.0.2.1'}]}");
	assert_faults(buf_text(&text), "/additional_vips: must be at most 63");
}

static void a_vip_is_there_once(void **state)
{
	(void)state;
	assert_faults("{'vip_address': '2001:db8::1', 'additional_vips': [{'ip_address': "
		      "'2001:DB8:0::1'}, {'ip_address': '10.0.0.1'}, {'ip_address': '10.0.0.1'}, "
		      "{}]}",
		"/additional_vips/0/ip_address: is a VIP of this load balancer already\n"
		"/additional_vips/2/ip_address: is a VIP of this load balancer already\n"
		"/additional_vips/3/ip_address: is required");
}

static void a_pair_needs_its_amphorae_and_their_group(void **state)
{
	(void)state;
	assert_faults("{'vip_address': '10.0.0.1', 'topology': 'ACTIVE_STANDBY'}",
		"/subnet_cidr: is required with topology ACTIVE_STANDBY\n"
		"/amphorae: is required\n/vrrp: is required");
}

static void a_pair_has_a_meaning_with_its_topology_only(void **state)
{
	static const char only[] = "has a meaning with topology ACTIVE_STANDBY only";
	cleanup_free char *expected = xformat("/amphorae: %s\n/vrrp: %s", only, only);

	(void)state;
	assert_faults("{'vip_address': '10.0.0.1', 'amphorae': [{}], 'vrrp': {'group_name': 'x'}}",
		expected);
	assert_faults("{'vip_address': '10.0.0.1', 'topology': 'SINGLE', 'amphorae': [], 'vrrp': "
		      "null, 'additional_vips': []}",
		"");
	assert_faults("{'vip_address': '10.0.0.1', 'topology': 'BOTH', 'vrrp': {}}",
		"/topology: must be one of SINGLE, ACTIVE_STANDBY\n/vrrp/auth_pass: is required");
}

#define UDP_MODEL(vips, member)                                                                    \
	"{" vips ", 'listeners': [{'protocol': 'TCP', 'protocol_port': 1}, {'protocol': 'UDP', "   \
	"'protocol_port': 1, 'default_pool': {'protocol': 'UDP', 'lb_algorithm': 'ROUND_ROBIN', "  \
	"'members': [{'address': '" member "', 'protocol_port': 1}]}}]}"

static void a_udp_listeners_members_have_a_vips_family(void **state)
{
	(void)state;
	assert_faults(UDP_MODEL("'vip_address': '10.0.0.1'", "10.0.0.4"), "");
	assert_faults(UDP_MODEL("'vip_address': '10.0.0.1'", "2001:db8::4"),
		"/listeners/1: has a member with an IPv6 address, and the load balancer has no "
		"IPv6 VIP to reach it from");
	assert_faults(UDP_MODEL("'vip_address': '2001:db8::1'", "10.0.0.4"),
		"/listeners/1: has a member with an IPv4 address, and the load balancer has no "
		"IPv4 VIP to reach it from");
	assert_faults(UDP_MODEL("'vip_address': '10.0.0.1', 'additional_vips': [{'ip_address': "
				"'2001:db8::1'}]",
			      "2001:db8::4"),
		"");
}

/* keepalived serves it: HAProxy has nothing to do. */
static void a_udp_listener_is_no_frontend(void **state)
{
	cleanup_model struct model_case model = model_parse(
		"{'vip_address': '10.0.0.1', 'listeners': [{'protocol': 'UDP', 'protocol_port': "
		"1}, {'protocol': 'SCTP', 'protocol_port': 1}]}");

	(void)state;
	assert_non_null(model.load_balancer);
	assert_false(load_balancer_has_frontend(model.load_balancer));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_smallest_useful_model_is_taken),
		cmocka_unit_test(it_may_stand_in_octavias_wrapper),
		cmocka_unit_test(what_is_no_object_is_one_fault),
		cmocka_unit_test(the_id_of_the_url_counts),
		cmocka_unit_test(without_a_url_the_documents_id_counts_or_its_vip),
		cmocka_unit_test(every_fault_is_in_the_answer),
		cmocka_unit_test(the_error_counts_the_faults),
		cmocka_unit_test(more_faults_than_fit_are_counted),
		cmocka_unit_test(octavias_answer_can_be_pasted_back),
		cmocka_unit_test(a_load_balancer_without_an_open_listener_has_no_frontend),
		cmocka_unit_test(listeners_are_so_many_at_most),
		cmocka_unit_test(every_prefix_of_a_model_is_refused),
		cmocka_unit_test(additional_vips_follow_the_first),
		cmocka_unit_test(vips_are_so_many_at_most),
		cmocka_unit_test(a_vip_is_there_once),
		cmocka_unit_test(a_pair_needs_its_amphorae_and_their_group),
		cmocka_unit_test(a_pair_has_a_meaning_with_its_topology_only),
		cmocka_unit_test(a_udp_listeners_members_have_a_vips_family),
		cmocka_unit_test(a_udp_listener_is_no_frontend),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
