/* context.h -- what connections of a context ask of it (tls.h is for all). */
#ifndef TLS_CONTEXT_H
#define TLS_CONTEXT_H

#include "tls/hello.h"
#include "tls/tls.h"
#include "tls/trust.h"
#include "tls/wolfssl.h"

/* Of a server: with the certificate for this client. */
WOLFSSL_CTX *tls_context_choose(
    const struct tls_context *c, const struct hello *hello);

WOLFSSL_CTX *tls_context_client(const struct tls_context *c);

/* Reads the roots when they are first needed; NULL: *why. */
const struct trust *tls_context_trust(struct tls_context *c, const char **why);

#endif
