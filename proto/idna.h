/* idna.h -- a domain in Unicode as the DNS wants it: "xn--..." (RFC 5890). */
#ifndef PROTO_IDNA_H
#define PROTO_IDNA_H

#include <stdbool.h>

#include "core/base/buf.h"
#include "core/base/slice.h"

/* Appends the domain with each label that is not ASCII as an A-label.  The
 * labels must be U-labels as SMTPUTF8 has them (RFC 6531, 3.3), that is, lower
 * case and normalised: nothing is mapped.  False when the text is no UTF-8,
 * a label becomes longer than 63 bytes, or there is no room. */
bool idna_put(struct buf *out, struct slice domain);

#endif
