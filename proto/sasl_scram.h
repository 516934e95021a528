/* sasl_scram.h -- what both sides of SCRAM (RFC 5802) compute. */
#ifndef PROTO_SASL_SCRAM_H
#define PROTO_SASL_SCRAM_H

#include "core/base/buf.h"
#include "core/base/slice.h"
#include "proto/hash.h"
#include "proto/sasl.h"

#define SCRAM_BINDING_NAME "tls-exporter" /* RFC 9266 */
/* "c=" in base64: a header of full length and the binding */
#define SCRAM_CHANNEL_MAX 1280

/* Takes "x=value" off *text, and the comma behind it; false: there is no
 * attribute of this name. */
bool scram_cut(struct slice *text, char name, struct slice *value);
/* Letters that may stand in a nonce. */
bool scram_nonce_good(struct slice nonce);
/* AuthMessage: client-first-bare,server-first,client-final-without-proof. */
void scram_sign(struct slice key, struct slice client_first,
    struct slice server_first, struct slice client_final,
    uint8_t signature[HASH_SHA256_LEN]);
/* RFC 5802, 7: the value of "c". */
void scram_put_channel(
    struct buf *out, struct slice gs2_header, const uint8_t *binding);

#endif
