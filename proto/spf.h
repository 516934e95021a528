/* spf.h -- whether a domain says that an address may send its mail: RFC 7208 as
 * a machine that names the questions to ask the DNS, and is given the answers.
 *
 * For a domain's owner, who wants to know whether the relay is covered: macros,
 * exists and ptr, which are about a single mail or should not be used, are not
 * evaluated; where the result hangs on one, it is SPF_UNKNOWN. */
#ifndef PROTO_SPF_H
#define PROTO_SPF_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/dns_packet.h"

#define SPF_LOOKUPS_MAX 10 /* RFC 7208, 4.6.4 */
#define SPF_VOIDS_MAX 2
#define SPF_MX_MAX 10
#define SPF_RECORD_MAX 2048

enum spf_result {
	SPF_NONE, /* there is no record */
	SPF_NEUTRAL,
	SPF_PASS,
	SPF_FAIL,
	SPF_SOFTFAIL,
	SPF_TEMPERROR,
	SPF_PERMERROR,
	SPF_UNKNOWN,
};

enum spf_answer {
	SPF_ANSWER_FOUND,
	SPF_ANSWER_NOTHING, /* no such name, or no such records */
	SPF_ANSWER_FAILED,
};

enum spf_phase {
	SPF_TERMS,	/* the next term of the record */
	SPF_RECORD,	/* asked for the record */
	SPF_ADDRESS,	/* for the addresses of `a` */
	SPF_MX,		/* for the hosts of `mx`, */
	SPF_MX_ADDRESS, /* and the addresses of each */
	SPF_DONE,
};

struct spf_frame { /* a record: the domain's, or one that it includes */
	char domain[DNS_NAME_MAX + 1];
	enum spf_result included_as; /* what a match means to the outer one */
	bool redirected;
	uint16_t record_len;
	uint16_t record_at; /* where the next term begins */
	uint8_t record[SPF_RECORD_MAX];
};

struct spf {
	/* A question: */
	char name[DNS_NAME_MAX + 1];
	uint16_t type;
	/* At the end: */
	enum spf_result result;
	char why[300]; /* a term, or what is wrong */
	unsigned lookup_count;
	/* private */
	uint8_t address[16];
	enum spf_phase phase;
	enum spf_result term_result;  /* of the term that is asked for */
	uint16_t term_from, term_len; /* where it stands in its record */
	uint8_t bits4, bits6;	      /* its networks' */
	unsigned void_count;
	unsigned mx_count, mx_at;
	char mx[SPF_MX_MAX][DNS_NAME_MAX + 1];
	unsigned depth; /* of the frame in use */
	struct spf_frame frames[SPF_LOOKUPS_MAX + 1];
};

/* `address`: IPv4 as ::ffff:a.b.c.d. */
void spf_init(struct spf *s, const uint8_t address[16], struct slice domain);

/* True: ask for s->name and s->type, and give the answer to spf_answer.  False:
 * s->result and s->why are final. */
bool spf_next(struct spf *s);
void spf_answer(
    struct spf *s, enum spf_answer kind, const struct dns_answer *answer);

/* "pass", "softfail", ... */
const char *spf_word(enum spf_result result);

#endif
