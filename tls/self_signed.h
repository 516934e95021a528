/* self_signed.h -- a certificate for a relay that was given none. */
#ifndef TLS_SELF_SIGNED_H
#define TLS_SELF_SIGNED_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/slice.h"

#define SELF_SIGNED_MAX 2048 /* enough room for either text */

/* Appends a new key (ECDSA P-256) and its certificate as PEM: CN `hostname`,
 * names `hostname`, localhost and 127.0.0.1, valid from a day before now for
 * ten years.  False: no randomness, or no room. */
bool self_signed_make(struct slice hostname, uint64_t now_s,
    struct buf *crt_pem, struct buf *key_pem);

#endif
