/* rsa_selfcheck.h -- whether the engine signs as wolfSSL does. */
#ifndef DKIM_RSA_SELFCHECK_H
#define DKIM_RSA_SELFCHECK_H

#include "dkim/rsa_private.h"

/* Some 20 ms with Debian's wolfSSL. */
MUST_USE bool rsa_selfcheck(struct rsa *r);

#endif
