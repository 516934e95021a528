/* generate.h -- new private keys. */
#ifndef DKIM_GENERATE_H
#define DKIM_GENERATE_H

#include "dkim/dkim.h"

#define DKIM_PEM_MAX 4096

/* A new key as PEM (PKCS #1 or #8); `bits` of RSA.  NULL, or why not. */
MUST_USE const char *dkim_generate(
    enum dkim_algorithm algorithm, unsigned bits, struct buf *pem);

#endif
