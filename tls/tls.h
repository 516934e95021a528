/* tls.h -- one TLS connection over buffers of the caller: no I/O in here.
 *
 * A context is what many connections share (certificates, trust, tickets); it
 * is counted, so that a reload makes a new one and the old one goes with its
 * last connection.  stream.h puts a connection on the loop. */
#ifndef TLS_TLS_H
#define TLS_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/check.h"
#include "core/base/slice.h"

struct tls_context;
struct tls;

/* A chain, leaf first, and its private key; PEM. */
struct tls_certificate {
	struct slice crt;
	struct slice key;
	const char *source; /* for messages */
};

/* Keys of session tickets, made before the workers are forked (shared anonymous
 * memory): a client may come back to another worker.  Rotated by whoever comes
 * first after their time. */
struct tls_ticket_keys;
struct tls_ticket_keys *tls_ticket_keys_open(void);

struct tls_server_options {
	const struct tls_certificate *certificates; /* by SNI; first: default */
	size_t certificate_count;
	struct tls_ticket_keys *ticket_keys; /* NULL: no tickets */
};

/* NULL: *why (room of why_len bytes) names the certificate and the reason. */
struct tls_context *tls_server_context(
    const struct tls_server_options *options, char *why, size_t why_len);

struct tls_client_options {
	const char *ca_file; /* NULL: the system's store, read when first
			      * needed */
};
struct tls_context *tls_client_context(
    const struct tls_client_options *options, char *why, size_t why_len);

/* Whoever made it is its first holder; each connection is another. */
void tls_context_take(struct tls_context *c);
void tls_context_give(struct tls_context *c);

/* Seconds since 1970 at which the first certificate of a server's context
 * expires, and its source. */
uint64_t tls_context_expires_s(
    const struct tls_context *c, const char **source);

enum tls_state {
	TLS_HANDSHAKE, /* not yet ready for bytes of the user */
	TLS_OPEN,
	TLS_ENDED,  /* the peer said close_notify */
	TLS_FAILED, /* tls_error() says why */
};

/* What a client wants of the peer. */
enum tls_verify {
	TLS_VERIFY_NONE, /* whoever it is (opportunistic, encrypt) */
	TLS_VERIFY_NAME, /* chain to a trusted root, name, dates: else failed */
	TLS_VERIFY_LOOK, /* go on whoever it is; tls_is_verified() tells */
};
struct tls_peer {
	const char *name; /* SNI, and what is verified; NULL: none (address) */
	enum tls_verify verify;
	const uint8_t *session; /* from tls_session_put, or NULL */
	size_t session_len;
};

/* NULL: no memory. */
struct tls *tls_accept(struct tls_context *c);
struct tls *tls_connect(struct tls_context *c, const struct tls_peer *peer);
void tls_free(struct tls *t);

/* Goes on with the handshake: eats from *in, writes to *out.  When it stays in
 * TLS_HANDSHAKE it wants more input, or, with *in not empty or `out` full, room
 * in `out` (TLS_OUT_MIN bytes are always enough to go on). */
#define TLS_OUT_MIN 4096
enum tls_state tls_state_of(const struct tls *t);
enum tls_state tls_handshake(struct tls *t, struct slice *in, struct buf *out);

/* Decrypts: eats from *in, appends to *plain at most its free room.  Call again
 * while *in is not empty or tls_pending() says so.  `out` takes what the
 * protocol itself has to say (key updates, alerts). */
enum tls_state tls_read(
    struct tls *t, struct slice *in, struct buf *plain, struct buf *out);
bool tls_pending(const struct tls *t);

/* Encrypts as much of *plain as fits into `out`, a record at a time. */
enum tls_state tls_write(struct tls *t, struct slice *plain, struct buf *out);
/* Our close_notify; nothing may be written after it. */
void tls_close_notify(struct tls *t, struct buf *out);

/* For the log: "1.3", "TLS_AES_128_GCM_SHA256"; and why it failed. */
const char *tls_version(const struct tls *t);
const char *tls_cipher(const struct tls *t);
bool tls_is_verified(const struct tls *t); /* chain, name, dates are good */
bool tls_is_resumed(const struct tls *t);
const char *tls_error(const struct tls *t);

/* tls-exporter (RFC 9266; TLS 1.3, or 1.2 with extended master secret): 32
 * bytes.  False: this connection has none. */
bool tls_exporter(struct tls *t, uint8_t out[32]);

/* A client's session, for tls_peer.session; false: there is none to keep. */
bool tls_session_put(struct tls *t, struct buf *out);

/* Which wolfSSL this is and whether it uses what the CPU has: "wolfSSL 5.7.2
 * (built here; AES instructions used, SHA instructions used)". */
void tls_library(struct buf *out);

#endif
