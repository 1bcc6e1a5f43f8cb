/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: an SCTP packet that anybody on the network may have sent (sys/sctp_packet.h). */
#include "sys/sctp_packet.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

/* No input would have a checksum that fits by chance. */
static void checksum_mend(uint8_t *packet, size_t size_bytes)
{
	uint32_t checksum;

	if (size_bytes < 12)
		return;
	memset(packet + 8, 0, sizeof(checksum));
	checksum = sctp_crc32c(packet, size_bytes);
	memcpy(packet + 8, &checksum, sizeof(checksum));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	const struct sctp_attempt attempt = {
		.source_port = 40000, .destination_port = 80, .tag = 0x12345678};
	cleanup_free uint8_t *packet = xcalloc(1, size_bytes ? size_bytes : 1);
	enum sctp_answer answer;
	uint32_t tag;

	if (size_bytes)
		memcpy(packet, data, size_bytes);
	checksum_mend(packet, size_bytes);
	answer = sctp_answer_parse(&attempt, packet, size_bytes, &tag);
	if (answer != SCTP_ANSWER_INIT_ACK && tag != 0)
		abort();
	if (answer != SCTP_ANSWER_NONE && size_bytes < 16)
		abort();
	return 0;
}
