/* spf_term.h -- one term of an SPF record: RFC 7208, 4.6.1 and 5.  Within
 * proto. */
#ifndef PROTO_SPF_TERM_H
#define PROTO_SPF_TERM_H

#include "proto/spf.h"

enum spf_kind {
	SPF_KIND_ALL,
	SPF_KIND_INCLUDE,
	SPF_KIND_A,
	SPF_KIND_MX,
	SPF_KIND_PTR,
	SPF_KIND_IP4,
	SPF_KIND_IP6,
	SPF_KIND_EXISTS,
	SPF_KIND_REDIRECT,
	SPF_KIND_MODIFIER, /* exp, or one that nobody knows */
};

struct spf_term {
	enum spf_kind kind;
	enum spf_result result; /* of a match */
	struct slice domain;	/* may be empty, or have macros */
	uint8_t bits4, bits6;	/* the length of a network's prefix */
	uint8_t address[16];	/* ip4, ip6 */
};

/* False: it is against the grammar. */
bool spf_term_read(struct slice text, struct spf_term *term);

/* Whether the first bits of two addresses (as in struct spf) are the same, and
 * both are of one family. */
bool spf_same_network(
    const uint8_t a[16], const uint8_t b[16], uint8_t bits4, uint8_t bits6);
bool spf_is_v4(const uint8_t address[16]);

#endif
