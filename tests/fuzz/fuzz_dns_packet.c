/* Any bytes: no read outside the packet, and what is handed out lies in the
 * answer's room and has the length that its type promises. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/base/check.h"
#include "proto/dns_packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint16_t types[] = {DNS_TYPE_A, DNS_TYPE_AAAA, DNS_TYPE_MX,
	    DNS_TYPE_PTR, DNS_TYPE_TXT, DNS_TYPE_TLSA};
	struct dns_answer answer;

	if (len == 0)
		return 0;
	uint16_t type = types[data[0] % COUNT(types)];

	if (!dns_packet_read(slice_of(data + 1, len - 1), type, &answer))
		return 0;
	check(answer.count <= DNS_RECORDS_MAX);
	for (unsigned i = 0; i < answer.count; i++) {
		struct slice s = answer.records[i].data;

		check(s.at >= answer.room);
		check(s.at + s.len <= answer.room + answer.room_len);
		if (type == DNS_TYPE_A)
			check(s.len == 4);
		if (type == DNS_TYPE_AAAA)
			check(s.len == 16);
		if (type == DNS_TYPE_MX || type == DNS_TYPE_PTR) {
			check(s.len > 0);
			check(s.len <= DNS_NAME_MAX);
		}
	}
	return 0;
}
