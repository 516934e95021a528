/* certificate.h -- what we ask a certificate (RFC 5280), read from its DER.
 *
 * Nothing is verified here (trust.h does); slices look into the DER. */
#ifndef TLS_CERTIFICATE_H
#define TLS_CERTIFICATE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/slice.h"

enum key_kind { KEY_OTHER, KEY_RSA, KEY_P256, KEY_P384, KEY_P521, KEY_ED25519 };

struct certificate {
	struct slice der;
	struct slice issuer;
	struct slice subject;
	struct slice spki;  /* SubjectPublicKeyInfo, whole (DANE) */
	struct slice names; /* GeneralName after GeneralName */
	struct slice common_name;
	uint64_t not_before_s;
	uint64_t not_after_s;
	enum key_kind key;
	bool has_names;	   /* a subjectAltName extension */
	bool is_ca;	   /* and may sign certificates */
	uint32_t path_max; /* CAs below it; UINT32_MAX: any number */
	bool for_servers;  /* its extended key usage, if any, allows it */
};

/* False: this is no X.509 certificate. */
bool certificate_read(struct certificate *c, struct slice der);

/* Whether it was issued for this host name or address literal (RFC 9525, 6.3:
 * a wildcard is a whole leftmost label and stands for exactly one). */
bool certificate_is_for(const struct certificate *c, struct slice name);

#endif
