/* der.h -- the elements of a DER encoding (X.690), one after the other. */
#ifndef TLS_DER_H
#define TLS_DER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/slice.h"

#define DER_BOOLEAN 0x01
#define DER_INTEGER 0x02
#define DER_BIT_STRING 0x03
#define DER_OCTET_STRING 0x04
#define DER_OID 0x06
#define DER_UTF8_STRING 0x0c
#define DER_SEQUENCE 0x30
#define DER_SET 0x31
#define DER_UTC_TIME 0x17
#define DER_GENERALIZED_TIME 0x18
#define DER_CONTEXT(number) (0x80 | (number))
#define DER_CONTEXT_HOLDS(number) (0xa0 | (number))

struct der {
	uint8_t tag;
	struct slice body;
	struct slice whole; /* tag and length included */
};

/* Takes the first element off *in.  False: there is none, or it is cut short,
 * or its tag or length takes a form that nothing here needs (*in unchanged). */
bool der_take(struct slice *in, struct der *element);

/* The same; false, too, when its tag is another. */
bool der_take_tag(struct slice *in, uint8_t tag, struct der *element);

#endif
