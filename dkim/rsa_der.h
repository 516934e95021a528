/* rsa_der.h -- where the numbers of a private key are in its DER. */
#ifndef DKIM_RSA_DER_H
#define DKIM_RSA_DER_H

#include <stdbool.h>

#include "core/base/check.h"
#include "core/base/slice.h"

/* RFC 8017, A.1.2: RSAPrivateKey; each without leading zeros.  The slices point
 * into the DER. */
struct rsa_der {
	struct slice whole; /* RSAPrivateKey alone, unwrapped */
	struct slice n, e, d, p, q, dp, dq, qinv;
};

/* PKCS #1 or, around it, PKCS #8 (RFC 5208; attributes are skipped).  False:
 * *why. */
MUST_USE bool rsa_der_read(
    struct slice der, struct rsa_der *out, const char **why);

/* PKCS #8 of any algorithm: its identifier with the parameters, and what is
 * inside; slices of `der`. */
MUST_USE bool rsa_der_unwrap(
    struct slice der, struct slice *algorithm, struct slice *inside);

#endif
