/* pem.h -- the certificates in a text (RFC 7468), one after the other. */
#ifndef TLS_PEM_H
#define TLS_PEM_H

#include <stdbool.h>

#include "core/base/buf.h"
#include "core/base/slice.h"

#define PEM_CERTIFICATE_MAX 16384 /* bytes of DER */

enum pem_found { PEM_FOUND, PEM_BROKEN, PEM_NONE };

/* Takes everything up to the end of the next certificate off *text and puts its
 * DER into `der`, which is cleared first.  PEM_BROKEN: there was one that
 * cannot be read, or is larger than the room; the next call looks behind it. */
enum pem_found pem_certificate(struct slice *text, struct buf *der);

/* Writes a block, 64 characters a line. */
void pem_put(struct buf *out, const char *label, struct slice der);

#endif
