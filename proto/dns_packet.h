/* dns_packet.h -- the records of a DNS answer, bounds-checked.  Pure. */
#ifndef PROTO_DNS_PACKET_H
#define PROTO_DNS_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/slice.h"

enum dns_type {
	DNS_TYPE_A = 1,
	DNS_TYPE_CNAME = 5,
	DNS_TYPE_PTR = 12,
	DNS_TYPE_MX = 15,
	DNS_TYPE_TXT = 16,
	DNS_TYPE_AAAA = 28,
	DNS_TYPE_TLSA = 52,
};

#define DNS_NAME_MAX 254   /* as text, without the final dot */
#define DNS_RECORDS_MAX 32 /* kept of one answer */
#define DNS_ROOM 4096	   /* bytes for names and data of one answer */
#define DNS_LINKS_MAX 16   /* of a CNAME chain */

struct dns_record {
	uint16_t preference; /* MX */
	struct slice data;   /* A: 4 bytes, AAAA: 16; MX, PTR: name as text;
			      * TXT: strings joined; TLSA: rdata.  Looks into
			      * the answer's room: an answer is not copied by
			      * assignment */
};

struct dns_answer {
	uint8_t rcode;	/* of the packet: 0 or 3 (NXDOMAIN) matter */
	uint32_t ttl_s; /* the smallest of the records used; 0 = none */
	unsigned count;
	struct dns_record records[DNS_RECORDS_MAX];
	bool truncated; /* more records than there was room for */
	uint16_t room_len;
	uint8_t room[DNS_ROOM];
};

/* The records of `type` in the packet's answer section, at the end of the
 * CNAME chain from the question's name (as RFC 1034 has it; at most
 * DNS_LINKS_MAX links, in any order).  False when the packet is malformed.
 *
 * A name as text has its letters lowered and no final dot; the root is ".".
 * A byte of a label that is not printable is written \DDD, a dot or backslash
 * with a backslash before it (RFC 1035, 5.1). */
bool dns_packet_read(
    struct slice packet, uint16_t type, struct dns_answer *answer);

#endif
