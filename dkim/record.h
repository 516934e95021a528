/* record.h -- what is published of a key, against what should be. */
#ifndef DKIM_RECORD_H
#define DKIM_RECORD_H

#include "dkim/dkim.h"

enum dkim_record_match {
	DKIM_RECORD_SAME,
	DKIM_RECORD_DIFFERENT, /* another key, or another kind of key */
	DKIM_RECORD_REVOKED,   /* an empty p= */
	DKIM_RECORD_NONE,      /* no key record at all */
};

/* `published` and `own`: TXT records (dkim_key_record). */
enum dkim_record_match dkim_record_compare(
    struct slice published, struct slice own);

#endif
