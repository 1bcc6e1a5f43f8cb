/* SPDX-License-Identifier: Apache-2.0 */
/* What a real kernel answered lies in tests/data/ipvs; its README.md shows it as ipvsadm did. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/ip_vs.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "sys/ipvs.h"

enum { RECORD_MAX_BYTES = 64 * KIB, TIMEOUT_MS = 1000 };

/* A recorded answer's bytes in *ret_record. */
static void record_read(const char *name, struct buf *ret_record)
{
	cleanup_free char *path = xformat("%s/data/ipvs/%s.bin", SHARED_TESTS, name);

	*ret_record = BUF_INIT(RECORD_MAX_BYTES);
	assert_int_equal(file_read(path, ret_record, NULL), 0);
}

static int record_parse(struct ipvs_table *table, const char *name, bool *ret_is_done)
{
	cleanup_buf struct buf record;

	record_read(name, &record);
	return ipvs_table_parse(table, record.data, record.size_bytes, ret_is_done, NULL);
}

static void assert_address(const struct address *address, const char *expected)
{
	char text[ADDRESS_TEXT_MAX];

	address_format(address, text);
	assert_string_equal(text, expected);
}

/* Its counters, in the words "connections in out", of the one service that is so; they have no
 * order. */
static void assert_service(const struct ipvs_table *table, const char *address_text, uint16_t port,
	uint8_t protocol, const char *counters)
{
	struct address address;
	size_t found = 0;

	assert_int_equal(address_parse(address_text, &address), 0);
	for (size_t i = 0; i < table->service_count; i++) {
		const struct ipvs_service *service = &table->services[i];
		cleanup_free char *text =
			xformat("%u %u %u", (unsigned)service->counters.connections,
				(unsigned)service->counters.bytes_in,
				(unsigned)service->counters.bytes_out);

		if (service->port != port || service->protocol != protocol ||
			!address_equal(&service->address, &address))
			continue;
		assert_string_equal(text, counters);
		found++;
	}
	assert_int_equal(found, 1);
}

static void services_have_their_address_protocol_and_counters(void **state)
{
	cleanup_ipvs_table struct ipvs_table table = IPVS_TABLE_INIT;
	bool is_done = false;

	(void)state;
	assert_int_equal(record_parse(&table, "services", &is_done), 0);
	assert_true(is_done);
	assert_int_equal(table.service_count, 4);
	assert_service(&table, "10.0.0.10", 53, IPPROTO_UDP, "3 384 468");
	assert_service(&table, "10.0.0.11", 514, IPPROTO_UDP, "0 0 0");
	assert_service(&table, "10.0.0.10", 2905, IPPROTO_SCTP, "0 0 0");
	assert_service(&table, "fd00::10", 53, IPPROTO_UDP, "2 296 392");
}

static void destinations_have_their_address_weight_connections_and_counters(void **state)
{
	cleanup_ipvs_table struct ipvs_table table = IPVS_TABLE_INIT;
	bool is_done = false;

	(void)state;
	assert_int_equal(record_parse(&table, "destinations-udp4", &is_done), 0);
	assert_true(is_done);
	assert_int_equal(table.destination_count, 2);
	assert_address(&table.destinations[0].address, "10.0.0.2");
	assert_int_equal(table.destinations[0].weight, 0);
	assert_address(&table.destinations[1].address, "10.0.0.1");
	assert_int_equal(table.destinations[1].port, 5301);
	assert_int_equal(table.destinations[1].weight, 1);
	assert_int_equal(table.destinations[1].active_connections, 0);
	assert_int_equal(table.destinations[1].inactive_connections, 3);
	assert_int_equal(table.destinations[0].counters.connections, 0);
	assert_int_equal(table.destinations[1].counters.connections, 3);
	assert_int_equal(table.destinations[1].counters.bytes_in, 384);
	assert_int_equal(table.destinations[1].counters.bytes_out, 468);
}

static void what_follows_is_appended(void **state)
{
	cleanup_ipvs_table struct ipvs_table table = IPVS_TABLE_INIT;
	bool is_done = false;

	(void)state;
	assert_int_equal(record_parse(&table, "destinations-sctp4", &is_done), 0);
	assert_int_equal(record_parse(&table, "destinations-udp6", &is_done), 0);
	assert_int_equal(table.destination_count, 2);
	assert_int_equal(table.destinations[0].weight, 5);
	assert_int_equal(table.destinations[0].port, 2906);
	assert_address(&table.destinations[1].address, "fd00::1");
	assert_int_equal(table.destinations[1].weight, 256);
	assert_int_equal(table.destinations[1].inactive_connections, 2);
}

/* As the kernel sent it: 16,376 bytes, 12,104 bytes, and the end. */
static void a_long_answer_is_done_with_its_last_piece(void **state)
{
	cleanup_ipvs_table struct ipvs_table table = IPVS_TABLE_INIT;
	cleanup_buf struct buf record;
	static const size_t pieces[] = {16376, 12104, 20};
	size_t at = 0;

	(void)state;
	record_read("destinations-many", &record);
	for (size_t i = 0; i < 3; i++) {
		bool is_done;

		assert_int_equal(
			ipvs_table_parse(&table, record.data + at, pieces[i], &is_done, NULL), 0);
		assert_int_equal(is_done, i == 2);
		at += pieces[i];
	}
	assert_int_equal(at, record.size_bytes);
	assert_int_equal(table.destination_count, 80);
	for (size_t i = 0; i < table.destination_count; i++)
		assert_int_equal(table.destinations[i].weight, 79 - i);
}

static void an_empty_table_is_an_answer(void **state)
{
	cleanup_ipvs_table struct ipvs_table table = IPVS_TABLE_INIT;
	bool is_done = false;

	(void)state;
	assert_int_equal(record_parse(&table, "empty", &is_done), 0);
	assert_true(is_done);
	is_done = false;
	assert_int_equal(record_parse(&table, "destinations-of-none", &is_done), 0);
	assert_true(is_done);
	assert_int_equal(table.service_count + table.destination_count, 0);
}

static void a_refusal_is_the_kernels_errno(void **state)
{
	cleanup_ipvs_table struct ipvs_table table = IPVS_TABLE_INIT;
	bool is_done = false;

	(void)state;
	assert_int_equal(record_parse(&table, "refused", &is_done), -EPERM);
}

/* Where the messages of an answer end. */
static bool is_message_end(const struct buf *record, size_t size_bytes)
{
	size_t at = 0;

	while (at < size_bytes) {
		struct nlmsghdr header;

		memcpy(&header, record->data + at, sizeof(header));
		at += NLMSG_ALIGN(header.nlmsg_len);
	}
	return at == size_bytes;
}

static void an_answer_that_is_cut_off_anywhere_is_refused(void **state)
{
	static const char *const names[] = {"services", "destinations-udp4"};
	cleanup_buf struct buf record = BUF_INIT(RECORD_MAX_BYTES);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		buf_deinit(&record);
		record_read(names[i], &record);
		for (size_t size = 0; size < record.size_bytes; size++) {
			cleanup_ipvs_table struct ipvs_table table = IPVS_TABLE_INIT;
			/* In memory of its own: a sanitizer sees who reads on. */
			cleanup_free char *cut = xmemdup_text(record.data, size);
			bool is_done = true;
			int r = ipvs_table_parse(&table, cut, size, &is_done, NULL);

			assert_int_equal(r, is_message_end(&record, size) ? 0 : -EBADMSG);
			if (r == 0)
				assert_false(is_done);
		}
	}
}

/* Overwrites the type of the first attribute of that type behind offset at. */
static void attribute_lose(struct buf *record, size_t at, uint16_t type)
{
	struct nlattr attr;

	for (;; at += NLA_ALIGN(attr.nla_len)) {
		memcpy(&attr, record->data + at, sizeof(attr));
		assert_true(attr.nla_len >= sizeof(attr));
		if ((attr.nla_type & NLA_TYPE_MASK) != type)
			continue;
		attr.nla_type = 200;
		memcpy(record->data + at, &attr, sizeof(attr));
		return;
	}
}

static void what_lacks_a_part_is_refused(void **state)
{
	static const struct {
		const char *name;
		uint16_t type;
	} cases[] = {
		{"services", IPVS_SVC_ATTR_AF},
		{"services", IPVS_SVC_ATTR_PROTOCOL},
		{"services", IPVS_SVC_ATTR_ADDR},
		{"services", IPVS_SVC_ATTR_PORT},
		{"services", IPVS_SVC_ATTR_STATS64},
		{"destinations-udp4", IPVS_DEST_ATTR_ADDR},
		{"destinations-udp4", IPVS_DEST_ATTR_PORT},
		{"destinations-udp4", IPVS_DEST_ATTR_WEIGHT},
		{"destinations-udp4", IPVS_DEST_ATTR_ACTIVE_CONNS},
		{"destinations-udp4", IPVS_DEST_ATTR_INACT_CONNS},
		{"destinations-udp4", IPVS_DEST_ATTR_STATS64},
		{"destinations-udp4", IPVS_DEST_ATTR_ADDR_FAMILY},
	};
	/* Behind the headers of netlink, generic netlink and the attribute that holds the item. */
	const size_t first = NLMSG_HDRLEN + GENL_HDRLEN + NLA_HDRLEN;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cleanup_ipvs_table struct ipvs_table table = IPVS_TABLE_INIT;
		cleanup_buf struct buf record;
		bool is_done;

		record_read(cases[i].name, &record);
		attribute_lose(&record, first, cases[i].type);
		assert_int_equal(
			ipvs_table_parse(&table, record.data, record.size_bytes, &is_done, NULL),
			-EBADMSG);
	}
}

static void what_is_neither_service_nor_destination_is_refused(void **state)
{
	cleanup_ipvs_table struct ipvs_table table = IPVS_TABLE_INIT;
	cleanup_buf struct buf record;
	struct err err = ERR_NONE;
	bool is_done;

	(void)state;
	record_read("services", &record);
	record.data[NLMSG_HDRLEN] = IPVS_CMD_NEW_DAEMON;
	assert_int_equal(
		ipvs_table_parse(&table, record.data, record.size_bytes, &is_done, &err), -EBADMSG);
	assert_int_equal(table.service_count, 0);
	assert_true(err.text[0] != '\0');
}

/* Whatever this machine's kernel is: it has IPVS, or it says that it has none; again and again. */
static void a_kernel_with_or_without_ipvs_answers_at_once(void **state)
{
	cleanup_ipvs struct ipvs *ipvs = NULL;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(ipvs_open(&ipvs, NULL), 0);
	for (int i = 0; i < 3; i++) {
		cleanup_ipvs_table struct ipvs_table table = IPVS_TABLE_INIT;
		struct err err = ERR_NONE;
		int r = ipvs_query(ipvs, TIMEOUT_MS, &table, &err);

		if (r == 0)
			continue;
		assert_int_equal(r, -ENOENT);
		assert_non_null(strstr(err.text, "ip_vs"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(services_have_their_address_protocol_and_counters),
		cmocka_unit_test(destinations_have_their_address_weight_connections_and_counters),
		cmocka_unit_test(what_follows_is_appended),
		cmocka_unit_test(a_long_answer_is_done_with_its_last_piece),
		cmocka_unit_test(an_empty_table_is_an_answer),
		cmocka_unit_test(a_refusal_is_the_kernels_errno),
		cmocka_unit_test(an_answer_that_is_cut_off_anywhere_is_refused),
		cmocka_unit_test(what_lacks_a_part_is_refused),
		cmocka_unit_test(what_is_neither_service_nor_destination_is_refused),
		cmocka_unit_test(a_kernel_with_or_without_ipvs_answers_at_once),
	};

	return cmocka_run_group_tests_name("ipvs", tests, NULL, NULL);
}
