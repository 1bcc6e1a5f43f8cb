/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/sctp_packet.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static const struct sctp_attempt attempt = {
	.source_port = 0xabcd,
	.destination_port = 0x0102,
	.tag = 0x11223344,
	.initial_tsn = 0x55667788,
};

/* A packet of the peer's, made by hand; its checksum is right. */
struct packet {
	uint8_t bytes[64];
	size_t size_bytes;
};

static void checksum_set(struct packet *packet)
{
	uint32_t crc;

	memset(packet->bytes + 8, 0, 4);
	crc = sctp_crc32c(packet->bytes, packet->size_bytes);
	for (int i = 0; i < 4; i++)
		packet->bytes[8 + i] = (uint8_t)(crc >> 8 * i);
}

/* From port 0x0102 to 0xabcd with our tag; then the chunk. */
static struct packet answer_of(const uint8_t *chunk, size_t size_bytes)
{
	static const uint8_t header[12] = {
		0x01, 0x02, 0xab, 0xcd, 0x11, 0x22, 0x33, 0x44, 0, 0, 0, 0};
	struct packet packet = {.size_bytes = sizeof(header) + size_bytes};

	memcpy(packet.bytes, header, sizeof(header));
	memcpy(packet.bytes + sizeof(header), chunk, size_bytes);
	checksum_set(&packet);
	return packet;
}

static struct packet init_ack(void)
{
	static const uint8_t chunk[20] = {
		2, 0, 0, 20, 0xca, 0xfe, 0xba, 0xbe, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 9};

	return answer_of(chunk, sizeof(chunk));
}

static enum sctp_answer parse(const struct packet *packet, uint32_t *ret_peer_tag)
{
	return sctp_answer_parse(&attempt, packet->bytes, packet->size_bytes, ret_peer_tag);
}

static void assert_answer(const struct packet *packet, enum sctp_answer answer)
{
	uint32_t peer_tag = 1;

	assert_int_equal(parse(packet, &peer_tag), answer);
	if (answer != SCTP_ANSWER_INIT_ACK)
		assert_int_equal(peer_tag, 0);
}

static void the_checksum_is_that_of_the_published_example(void **state)
{
	(void)state;
	assert_int_equal(sctp_crc32c((const uint8_t *)"123456789", 9), 0xe3069283);
	assert_int_equal(sctp_crc32c(NULL, 0), 0);
}

static void an_init_is_as_the_rfc_draws_it(void **state)
{
	static const uint8_t expected[SCTP_INIT_SIZE_BYTES] = {0xab, 0xcd, 0x01, 0x02, 0, 0, 0, 0,
		0, 0, 0, 0, 1, 0, 0, 20, 0x11, 0x22, 0x33, 0x44, 0, 1, 0xa0, 0, 0, 10, 0xff, 0xff,
		0x55, 0x66, 0x77, 0x88};
	struct packet packet = {.size_bytes = SCTP_INIT_SIZE_BYTES};
	uint8_t built[SCTP_INIT_SIZE_BYTES];

	(void)state;
	memcpy(packet.bytes, expected, sizeof(expected));
	checksum_set(&packet);
	sctp_init_build(&attempt, built);
	assert_memory_equal(built, packet.bytes, sizeof(built));
}

static void an_abort_carries_the_peers_tag(void **state)
{
	static const uint8_t expected[SCTP_ABORT_SIZE_BYTES] = {
		0xab, 0xcd, 0x01, 0x02, 0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 0, 6, 0, 0, 4};
	struct packet packet = {.size_bytes = SCTP_ABORT_SIZE_BYTES};
	uint8_t built[SCTP_ABORT_SIZE_BYTES];

	(void)state;
	memcpy(packet.bytes, expected, sizeof(expected));
	checksum_set(&packet);
	sctp_abort_build(&attempt, 0xcafebabe, built);
	assert_memory_equal(built, packet.bytes, sizeof(built));
}

static void an_init_ack_tells_the_peers_tag(void **state)
{
	struct packet packet = init_ack();
	uint32_t peer_tag;

	(void)state;
	assert_int_equal(parse(&packet, &peer_tag), SCTP_ANSWER_INIT_ACK);
	assert_int_equal(peer_tag, 0xcafebabe);
}

static void an_abort_is_one_with_and_without_a_cause(void **state)
{
	static const uint8_t plain[] = {6, 0, 0, 4};
	static const uint8_t with_cause[] = {6, 1, 0, 12, 0, 3, 0, 8, 1, 2, 3, 4};
	struct packet one = answer_of(plain, sizeof(plain));
	struct packet other = answer_of(with_cause, sizeof(with_cause));

	(void)state;
	assert_answer(&one, SCTP_ANSWER_ABORT);
	assert_answer(&other, SCTP_ANSWER_ABORT);
}

static void another_chunk_is_something_else(void **state)
{
	static const uint8_t chunk[] = {14, 0, 0, 4};
	static const uint8_t short_init_ack[] = {2, 0, 0, 8, 1, 2, 3, 4};
	struct packet one = answer_of(chunk, sizeof(chunk));
	struct packet other = answer_of(short_init_ack, sizeof(short_init_ack));

	(void)state;
	assert_answer(&one, SCTP_ANSWER_OTHER);
	assert_answer(&other, SCTP_ANSWER_OTHER);
}

static void a_packet_of_other_ports_or_another_tag_is_no_answer(void **state)
{
	(void)state;
	for (size_t offset = 0; offset < 8; offset++) {
		struct packet packet = init_ack();

		packet.bytes[offset] ^= 1;
		checksum_set(&packet);
		assert_answer(&packet, SCTP_ANSWER_NONE);
	}
}

static void a_damaged_packet_is_no_answer(void **state)
{
	(void)state;
	for (size_t offset = 12; offset < init_ack().size_bytes; offset++) {
		struct packet packet = init_ack();

		packet.bytes[offset] ^= 0x80;
		assert_answer(&packet, SCTP_ANSWER_NONE);
	}
}

static void a_checksum_left_to_the_network_card_is_not_missed(void **state)
{
	struct packet packet = init_ack();

	(void)state;
	memset(packet.bytes + 8, 0, 4);
	assert_answer(&packet, SCTP_ANSWER_INIT_ACK);
}

static void a_cut_packet_or_chunk_is_no_answer(void **state)
{
	static const uint8_t too_long[] = {6, 0, 0, 5};
	static const uint8_t too_short[] = {6, 0, 0, 3};
	struct packet one = answer_of(too_long, sizeof(too_long));
	struct packet other = answer_of(too_short, sizeof(too_short));

	(void)state;
	assert_answer(&one, SCTP_ANSWER_NONE);
	assert_answer(&other, SCTP_ANSWER_NONE);
	for (size_t size = 0; size < init_ack().size_bytes; size++) {
		struct packet packet = init_ack();

		packet.size_bytes = size;
		if (size >= 12)
			checksum_set(&packet);
		assert_answer(&packet, SCTP_ANSWER_NONE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_checksum_is_that_of_the_published_example),
		cmocka_unit_test(an_init_is_as_the_rfc_draws_it),
		cmocka_unit_test(an_abort_carries_the_peers_tag),
		cmocka_unit_test(an_init_ack_tells_the_peers_tag),
		cmocka_unit_test(an_abort_is_one_with_and_without_a_cause),
		cmocka_unit_test(another_chunk_is_something_else),
		cmocka_unit_test(a_packet_of_other_ports_or_another_tag_is_no_answer),
		cmocka_unit_test(a_damaged_packet_is_no_answer),
		cmocka_unit_test(a_checksum_left_to_the_network_card_is_not_missed),
		cmocka_unit_test(a_cut_packet_or_chunk_is_no_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
