/* suite.h -- the cipher suites that we speak. */
#ifndef TLS_SUITE_H
#define TLS_SUITE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"

struct suite {
	uint8_t id[2];
	const char *name;    /* IANA's, for the log */
	const char *wolfssl; /* for its list */
};

#define SUITE_LIST_MAX 512

/* IANA's name, or "unknown". */
const char *suite_name(uint8_t first, uint8_t second);

/* Whether AES-GCM is at least as quick as ChaCha20-Poly1305 here. */
bool suite_aes_is_fast(void);

/* wolfSSL's list of all of them, the best first; with a NUL at its end. */
void suite_list(struct buf *out, bool aes_first);

#endif
