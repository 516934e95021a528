/* header.h -- the fields of a header section, and their canonical forms
 * (RFC 6376, 3.4.1, 3.4.2). */
#ifndef DKIM_HEADER_H
#define DKIM_HEADER_H

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/sha256.h>

#include "dkim/dkim.h"

struct dkim_field {
	struct slice whole; /* with its folded lines and the last CR LF */
	struct slice name;  /* without blanks before the colon */
	struct slice value; /* behind the colon, with the last CR LF */
};

/* The header section at the front of a stored message, as dkim/body.h and
 * proto/header.h find its end.  False: it is not all there (`over`: the bytes
 * are the whole message, and the section ends with them at the latest). */
MUST_USE bool dkim_header_section(
    struct slice message, bool over, struct slice *section);

/* Takes the first field off *section.  False at its end. */
bool dkim_field_next(struct slice *section, struct dkim_field *field);

/* The first field of this name. */
bool dkim_field_find(
    struct slice section, struct slice name, struct dkim_field *field);

/* The field's canonical form goes into the hash; `last`: without its CR LF, as
 * the signature's own field (RFC 6376, 3.7). */
void dkim_field_hash(wc_Sha256 *sha256, const struct dkim_field *field,
    enum dkim_canon canon, bool last);

#endif
