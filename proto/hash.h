/* hash.h -- the few hashes that SASL is made of, over wolfCrypt.
 *
 * Texts are given in parts, so that nobody has to join them. */
#ifndef PROTO_HASH_H
#define PROTO_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/slice.h"

#define HASH_MD5_LEN 16
#define HASH_SHA256_LEN 32

void hash_md5(
    const struct slice *parts, size_t count, uint8_t out[HASH_MD5_LEN]);
void hash_sha256(
    const struct slice *parts, size_t count, uint8_t out[HASH_SHA256_LEN]);
void hash_hmac_md5(struct slice key, const struct slice *parts, size_t count,
    uint8_t out[HASH_MD5_LEN]);
void hash_hmac_sha256(struct slice key, const struct slice *parts, size_t count,
    uint8_t out[HASH_SHA256_LEN]);

/* RFC 5802, 2.2: Hi() with SHA-256, that is one block of PBKDF2. */
void hash_hi(struct slice password, struct slice salt, uint32_t iterations,
    uint8_t out[HASH_SHA256_LEN]);

/* Equal; takes as long wherever they differ. */
bool hash_equal(const uint8_t *a, const uint8_t *b, size_t len);
/* The same of texts; how long they are may be seen, where they differ not. */
bool hash_equal_text(struct slice a, struct slice b);

#endif
