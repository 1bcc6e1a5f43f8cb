/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/sctp_packet.h"

#include <endian.h>
#include <stdbool.h>
#include <string.h>

/* RFC 9260, 3.1 to 3.3: the common header, the header of a chunk, and what INIT and INIT ACK hold.
 */
enum {
	OFFSET_SOURCE_PORT = 0,
	OFFSET_DESTINATION_PORT = 2,
	OFFSET_TAG = 4,
	OFFSET_CHECKSUM = 8,
	OFFSET_CHUNK_TYPE = 12,
	OFFSET_CHUNK_LENGTH = 14,
	OFFSET_INITIATE_TAG = 16,
	OFFSET_WINDOW = 20,
	OFFSET_OUTBOUND_STREAMS = 24,
	OFFSET_INBOUND_STREAMS = 26,
	OFFSET_INITIAL_TSN = 28,

	HEADER_SIZE_BYTES = 12,
	CHUNK_HEADER_SIZE_BYTES = 4,
	INIT_CHUNK_SIZE_BYTES = SCTP_INIT_SIZE_BYTES - HEADER_SIZE_BYTES,
};

enum { CHUNK_INIT = 1, CHUNK_INIT_ACK = 2, CHUNK_ABORT = 6 };

/* What we offer: nobody will ever send anything. */
enum { WINDOW_BYTES = 104 * 1024, STREAMS = 10 };

static const uint32_t crc32c_polynomial_reflected = 0x82f63b78;

static uint32_t crc_add(uint32_t crc, const uint8_t *data, size_t size_bytes)
{
	for (size_t i = 0; i < size_bytes; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? crc32c_polynomial_reflected : 0);
	}
	return crc;
}

uint32_t sctp_crc32c(const uint8_t *data, size_t size_bytes)
{
	return ~crc_add(UINT32_MAX, data, size_bytes);
}

static void put_u16(uint8_t *place, uint16_t value)
{
	value = htobe16(value);
	memcpy(place, &value, sizeof(value));
}

static void put_u32(uint8_t *place, uint32_t value)
{
	value = htobe32(value);
	memcpy(place, &value, sizeof(value));
}

static uint16_t get_u16(const uint8_t *place)
{
	uint16_t value;

	memcpy(&value, place, sizeof(value));
	return be16toh(value);
}

static uint32_t get_u32(const uint8_t *place)
{
	uint32_t value;

	memcpy(&value, place, sizeof(value));
	return be32toh(value);
}

/* A packet of one chunk whose value is in place already; the checksum comes last. */
static void packet_finish(const struct sctp_attempt *attempt, uint32_t tag, uint8_t chunk_type,
	uint8_t *packet, size_t size_bytes)
{
	uint32_t checksum;

	put_u16(packet + OFFSET_SOURCE_PORT, attempt->source_port);
	put_u16(packet + OFFSET_DESTINATION_PORT, attempt->destination_port);
	put_u32(packet + OFFSET_TAG, tag);
	packet[OFFSET_CHUNK_TYPE] = chunk_type;
	put_u16(packet + OFFSET_CHUNK_LENGTH, (uint16_t)(size_bytes - HEADER_SIZE_BYTES));
	/* The only field with its least significant byte first. */
	checksum = htole32(sctp_crc32c(packet, size_bytes));
	memcpy(packet + OFFSET_CHECKSUM, &checksum, sizeof(checksum));
}

void sctp_init_build(
	const struct sctp_attempt *attempt, uint8_t ret_packet[static SCTP_INIT_SIZE_BYTES])
{
	memset(ret_packet, 0, SCTP_INIT_SIZE_BYTES);
	put_u32(ret_packet + OFFSET_INITIATE_TAG, attempt->tag);
	put_u32(ret_packet + OFFSET_WINDOW, WINDOW_BYTES);
	put_u16(ret_packet + OFFSET_OUTBOUND_STREAMS, STREAMS);
	put_u16(ret_packet + OFFSET_INBOUND_STREAMS, UINT16_MAX);
	put_u32(ret_packet + OFFSET_INITIAL_TSN, attempt->initial_tsn);
	/* An INIT carries no tag, because its sender knows none yet. */
	packet_finish(attempt, 0, CHUNK_INIT, ret_packet, SCTP_INIT_SIZE_BYTES);
}

void sctp_abort_build(const struct sctp_attempt *attempt, uint32_t peer_tag,
	uint8_t ret_packet[static SCTP_ABORT_SIZE_BYTES])
{
	memset(ret_packet, 0, SCTP_ABORT_SIZE_BYTES);
	packet_finish(attempt, peer_tag, CHUNK_ABORT, ret_packet, SCTP_ABORT_SIZE_BYTES);
}

/* A peer on the same machine may leave it 0, for a network card that never comes. */
static bool checksum_fits(const uint8_t *packet, size_t size_bytes)
{
	static const uint8_t zeros[sizeof(uint32_t)];
	uint32_t crc = crc_add(UINT32_MAX, packet, OFFSET_CHECKSUM);
	uint32_t checksum;

	memcpy(&checksum, packet + OFFSET_CHECKSUM, sizeof(checksum));
	crc = crc_add(crc, zeros, sizeof(zeros));
	crc = crc_add(crc, packet + HEADER_SIZE_BYTES, size_bytes - HEADER_SIZE_BYTES);
	return checksum == 0 || ~crc == le32toh(checksum);
}

enum sctp_answer sctp_answer_parse(const struct sctp_attempt *attempt, const uint8_t *packet,
	size_t size_bytes, uint32_t *ret_peer_tag)
{
	size_t chunk_size;

	*ret_peer_tag = 0;
	if (size_bytes < HEADER_SIZE_BYTES + CHUNK_HEADER_SIZE_BYTES ||
		get_u16(packet + OFFSET_SOURCE_PORT) != attempt->destination_port ||
		get_u16(packet + OFFSET_DESTINATION_PORT) != attempt->source_port ||
		get_u32(packet + OFFSET_TAG) != attempt->tag || !checksum_fits(packet, size_bytes))
		return SCTP_ANSWER_NONE;
	chunk_size = get_u16(packet + OFFSET_CHUNK_LENGTH);
	if (chunk_size < CHUNK_HEADER_SIZE_BYTES || chunk_size > size_bytes - HEADER_SIZE_BYTES)
		return SCTP_ANSWER_NONE;
	if (packet[OFFSET_CHUNK_TYPE] == CHUNK_ABORT)
		return SCTP_ANSWER_ABORT;
	if (packet[OFFSET_CHUNK_TYPE] != CHUNK_INIT_ACK || chunk_size < INIT_CHUNK_SIZE_BYTES)
		return SCTP_ANSWER_OTHER;
	*ret_peer_tag = get_u32(packet + OFFSET_INITIATE_TAG);
	return SCTP_ANSWER_INIT_ACK;
}
