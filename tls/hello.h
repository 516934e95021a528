/* hello.h -- what a ClientHello (RFC 8446, 4.1.2) says of its sender, read
 * before a TLS connection is made: so the certificate can be chosen, and who
 * says nothing or nonsense costs nothing. */
#ifndef TLS_HELLO_H
#define TLS_HELLO_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/slice.h"
#include "tls/certificate.h"

/* Records and all; more is not listened to. */
#define HELLO_MAX 16384

struct hello {
	struct slice name;  /* server_name; empty: none */
	uint32_t key_kinds; /* bit KEY_...: signatures it can check */
};

enum hello_state {
	HELLO_MORE, /* not whole yet */
	HELLO_READ,
	HELLO_ODD, /* not one, or not to be understood: wolfSSL shall say it */
};

/* `in`: all bytes so far, from the connection's first.  The name looks into
 * `in`, or, when the hello came in several records, into `room` (HELLO_MAX
 * bytes). */
enum hello_state hello_read(
    struct hello *hello, struct slice in, uint8_t *room);

#endif
