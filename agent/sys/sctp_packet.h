/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The few SCTP packets that a health check needs (RFC 9260): INIT and ABORT built, the answer to an
 * INIT told from everything else. A packet begins with the SCTP header, the IP header before it is
 * the caller's. Pure. Used by amphora-health-checker.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { SCTP_INIT_SIZE_BYTES = 32, SCTP_ABORT_SIZE_BYTES = 16 };

/* An association that we try to set up; in host order. */
struct sctp_attempt {
	uint16_t source_port;
	uint16_t destination_port;
	uint32_t tag; /* ours, not 0: the peer's packets carry it */
	uint32_t initial_tsn;
};

void sctp_init_build(
	const struct sctp_attempt *attempt, uint8_t ret_packet[static SCTP_INIT_SIZE_BYTES]);
/* Ends what the peer set up; peer_tag is the one that its INIT ACK told. */
void sctp_abort_build(const struct sctp_attempt *attempt, uint32_t peer_tag,
	uint8_t ret_packet[static SCTP_ABORT_SIZE_BYTES]);

enum sctp_answer {
	SCTP_ANSWER_NONE, /* not the peer's packet for this attempt, or damaged */
	SCTP_ANSWER_INIT_ACK,
	SCTP_ANSWER_ABORT,
	SCTP_ANSWER_OTHER,
};

/*
 * What a packet is to the attempt: ports, tag and checksum (if there is one) must fit.
 * *ret_peer_tag is the peer's tag for an INIT ACK, else 0.
 */
enum sctp_answer sctp_answer_parse(const struct sctp_attempt *attempt, const uint8_t *packet,
	size_t size_bytes, uint32_t *ret_peer_tag);

/* The checksum of the bytes as RFC 9260, appendix A, computes it: CRC-32C. */
uint32_t sctp_crc32c(const uint8_t *data, size_t size_bytes);
