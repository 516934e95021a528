/* body.h -- the hashes of a message's body while it streams in (RFC 6376,
 * 3.4.3, 3.4.4, 3.7). */
#ifndef DKIM_BODY_H
#define DKIM_BODY_H

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/sha256.h>

#include "dkim/dkim.h"

/* The canonical bytes of one form on their way into the hash. */
struct dkim_body_hash {
	wc_Sha256 sha256;
	uint64_t held_len; /* of CR LF CR LF ...: hashed when more follows */
	bool any;	   /* something was hashed */
	bool line_start;   /* the next byte begins a line */
	bool blank;	   /* relaxed: blanks came, what follows decides */
};

struct dkim_body {
	unsigned canons; /* set of 1 << enum dkim_canon */
	struct dkim_body_hash hash[DKIM_CANON_COUNT];
	/* private: where in the header section we are */
	uint8_t state;
	bool has_fields;
	bool guessed; /* the line so far was hashed: it may be no field */
};

/* `canons`: a set of 1 << enum dkim_canon; 0: nothing is done at all. */
void dkim_body_init(struct dkim_body *b, unsigned canons);
/* Any cut is good. */
void dkim_body_feed(struct dkim_body *b, struct slice piece);
/* The message is over; `canon` is of the set.  Once for each. */
void dkim_body_finish(
    struct dkim_body *b, enum dkim_canon canon, uint8_t hash[DKIM_HASH_LEN]);

#endif
