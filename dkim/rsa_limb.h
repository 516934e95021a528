/* rsa_limb.h -- numbers in limbs of 52 bits, one at a time: what a key's
 * constants are made with.  Nothing here branches on, or indexes by, a limb. */
#ifndef DKIM_RSA_LIMB_H
#define DKIM_RSA_LIMB_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/slice.h"
#include "dkim/rsa_engine.h"

/* Big-endian bytes, at most 52 * count bits. */
void rsa_limb_read(uint64_t *x, unsigned count, struct slice bytes);
/* The lowest `len` bytes of x. */
void rsa_limb_write(
    const uint64_t *x, unsigned count, uint8_t *out, size_t len);
/* -1/n mod 2^52, of an odd n. */
uint64_t rsa_limb_inverse(uint64_t n0);
/* R mod n and R^2 mod n, R = 2^(52 count), for an odd n of exactly `bits`. */
void rsa_limb_raise(uint64_t *one, uint64_t *two, const uint64_t *n,
    uint64_t inverse, unsigned count, unsigned bits);
/* out = a * b / R mod n, below 2 n when a and b are. */
void rsa_limb_multiply(uint64_t *out, const uint64_t *a, const uint64_t *b,
    const uint64_t *n, uint64_t inverse, unsigned count);
/* out = a - b - 1, for a > b. */
void rsa_limb_between(
    uint64_t *out, const uint64_t *a, const uint64_t *b, unsigned count);
/* Digits of RSA_WINDOW bits, the lowest first. */
void rsa_limb_digits(
    uint8_t *digits, unsigned digit_count, const uint64_t *x, unsigned count);

#endif
