/* certificates.h -- what the relay shows inside of TLS: the certificates of its
 * configuration, or one that it made itself. */
#ifndef CORE_CERTIFICATES_H
#define CORE_CERTIFICATES_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/log.h"
#include "core/config/config.h"
#include "tls/tls.h"

/* Room for why something cannot be. */
#define CERTIFICATES_WHY_MAX 512

/* Whether clients may have TLS. */
bool certificates_wanted(const struct config *c);

/* For whoever prepares what the workers will need: when TLS is wanted and the
 * configuration names no certificate, one of our own is made, unless the spool
 * (the working directory) has one already that fits.  0, or -errno: *why. */
int certificates_prepare(const struct config *c, uint64_t now_s,
    struct log *log, char *why, size_t why_len);

/* NULL: *why. */
struct tls_context *certificates_context(const struct config *c,
    struct tls_ticket_keys *ticket_keys, char *why, size_t why_len);

/* Says so when a certificate will expire soon. */
void certificates_look(
    const struct tls_context *context, uint64_t now_s, struct log *log);

#endif
