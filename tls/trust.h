/* trust.h -- the roots that are trusted, and whether a chain leads to one.
 *
 * Verification is ours and not the handshake's: it must be able to look at a
 * stranger's chain without failing the handshake, and without leaving anything
 * of it behind (wolfSSL keeps the authorities of a chain that a callback let
 * pass, and trusts them from then on). */
#ifndef TLS_TRUST_H
#define TLS_TRUST_H

#include <stddef.h>

#include "core/base/slice.h"
#include "tls/certificate.h"

#define TRUST_CHAIN_MAX 10

struct trust;

/* The roots of a PEM file; NULL: the system's.  NULL: *why says what is wrong
 * with it.  Certificates in it that are of no use are passed over. */
struct trust *trust_open(const char *file, const char **why);
void trust_close(struct trust *t);

/* NULL: the chain (DER; the leaf first, the others in any order) leads to a
 * root, is in time, and its leaf is for a server of this name.  Else a static
 * sentence. */
const char *trust_verify(const struct trust *t, const struct slice *chain,
    size_t count, struct slice name);

#endif
