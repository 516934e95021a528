/* certificate.h -- the text of certificates and keys, from files or inline. */
#ifndef CORE_CONFIG_CERTIFICATE_H
#define CORE_CONFIG_CERTIFICATE_H

#include "core/config/complaint.h"
#include "core/config/config.h"

bool pem_read(struct config *c, struct complaints *complaints,
    struct origin where, const char *path, struct config_text *pem);
/* Whether there is something like a private key, or a certificate, in it. */
bool pem_has_key(struct complaints *complaints, struct origin where,
    const struct config_text *pem);
bool pem_has_certificate(struct complaints *complaints, struct origin where,
    const struct config_text *pem);

/* When all sources were read: config.tls.crt* and key* in pairs. */
void certificates_finish(struct config *c, struct complaints *complaints);

#endif
