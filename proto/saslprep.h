/* saslprep.h -- names and passwords made comparable (RFC 4013). */
#ifndef PROTO_SASLPREP_H
#define PROTO_SASLPREP_H

#include <stdbool.h>

#include "core/base/buf.h"
#include "core/base/slice.h"

/* Appends the prepared text.  ASCII stays as it is; of other text (UTF-8)
 * blanks become a blank, what cannot be seen goes.  Not done: normalisation
 * (NFKC) and the rules on text from right to left, which need Unicode's
 * tables; so a password that one program composes and another does not is not
 * the same here, and must be set as clients send it.  False, and nothing is
 * appended: control characters, what RFC 4013 prohibits, no UTF-8, or no
 * room. */
bool saslprep_put(struct buf *out, struct slice text);

#endif
