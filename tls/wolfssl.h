/* wolfssl.h -- the one place that includes wolfSSL's TLS, and knows of builds.
 *
 * Ours (tests/wolfssl.sh) defines SMARTHOST_WOLFSSL in its options.h; the
 * system's package is an older one with everything switched on. */
#ifndef TLS_WOLFSSL_H
#define TLS_WOLFSSL_H

#include <wolfssl/options.h>
#include <wolfssl/error-ssl.h>
#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/chacha20_poly1305.h>
#include <wolfssl/wolfcrypt/coding.h>
#include <wolfssl/wolfcrypt/error-crypt.h>
#include <wolfssl/wolfcrypt/memory.h>
#include <wolfssl/wolfcrypt/random.h>
#include <wolfssl/wolfcrypt/types.h>

#ifdef SMARTHOST_WOLFSSL
#define WOLFSSL_ORIGIN "built here"
#else
#define WOLFSSL_ORIGIN "the system's"
#endif

/* Whether AES and SHA-2 are compiled with the CPU's instructions. */
#if defined(WOLFSSL_AESNI) || defined(WOLFSSL_ARMASM)
#define WOLFSSL_HAS_AES_ASM true
#else
#define WOLFSSL_HAS_AES_ASM false
#endif
#if defined(USE_INTEL_SPEEDUP) || defined(WOLFSSL_ARMASM)
#define WOLFSSL_HAS_SHA_ASM true
#else
#define WOLFSSL_HAS_SHA_ASM false
#endif

#define WOLFSSL_TAKE(len) XMALLOC((len), NULL, DYNAMIC_TYPE_TMP_BUFFER)
#define WOLFSSL_GIVE(at) XFREE((at), NULL, DYNAMIC_TYPE_TMP_BUFFER)

#endif
