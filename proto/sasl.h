/* sasl.h -- SASL (RFC 4422) as machines: the side that asks for a password, and
 * the side that has one.
 *
 * PLAIN (RFC 4616), LOGIN, CRAM-MD5 (RFC 2195), DIGEST-MD5 (RFC 2831),
 * SCRAM-SHA-256 and -PLUS (RFC 5802, 7677, 9266).  Everything is in base64 on
 * both sides of this interface, as it stands in SMTP's lines.  No I/O, no
 * clock, no randomness: the nonce is given. */
#ifndef PROTO_SASL_H
#define PROTO_SASL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/slice.h"
#include "proto/secret.h"

enum sasl_mechanism { /* bit 1 << m is config's AUTH_* */
	SASL_PLAIN,
	SASL_LOGIN,
	SASL_CRAM_MD5,
	SASL_DIGEST_MD5,
	SASL_SCRAM_SHA_256,
	SASL_SCRAM_SHA_256_PLUS,
};
#define SASL_MECHANISM_COUNT 6

/* "PLAIN", ...; and back (any case): false = no such mechanism. */
const char *sasl_name(enum sasl_mechanism m);
bool sasl_find(struct slice name, enum sasl_mechanism *m);

#define SASL_USER_MAX 255
#define SASL_PASSWORD_MAX SECRET_PASSWORD_MAX
#define SASL_LINE_MAX 12288 /* RFC 4954, 4.5: base64 of one line */
#define SASL_NONCE_LEN 18
#define SASL_BINDING_LEN 32
#define SASL_TEXT_MAX 2048 /* what a mechanism must remember */

enum sasl_need {
	SASL_NEED_RESPONSE, /* `out` has the challenge (base64; may be empty):
			     * send it, call with the client's answer */
	SASL_NEED_SECRET,   /* find the secret of s->user (core/inbound/users.h
			     * has a decoy for who does not exist), say
			     * sasl_server_secret(), call again with an empty
			     * response */
	SASL_GOOD,	    /* s->user is who it says; nothing more to send */
	SASL_WRONG,	    /* 535 5.7.8: user, password or proof is wrong */
	SASL_MALFORMED,	    /* 501 5.5.2: not base64, or not this mechanism's */
	SASL_CANCELLED,	    /* 501 5.7.0: the client said "*" */
};

struct sasl_server_options {
	struct slice hostname; /* realm, CRAM-MD5's and DIGEST-MD5's host */
	uint64_t wall_s;
	uint8_t nonce[SASL_NONCE_LEN];
	bool has_binding; /* TLS with an exporter: tls-exporter, RFC 9266 */
	uint8_t binding[SASL_BINDING_LEN];
	bool plus_offered; /* SCRAM: a client that could have is a downgrade */
};

struct sasl_server {
	uint8_t user_len;
	char user[SASL_USER_MAX + 1]; /* NUL-terminated */
	/* private */
	enum sasl_mechanism mechanism;
	uint8_t step;	  /* sasl_server.c */
	uint8_t stage;	  /* the mechanism's own */
	uint16_t mark[2]; /* places in `text` */
	struct sasl_server_options options;
	struct sasl_secret secret;
	uint16_t text_len;
	uint8_t text[SASL_TEXT_MAX];
};

void sasl_server_init(struct sasl_server *s, enum sasl_mechanism m,
    const struct sasl_server_options *options);
/* `response`: what the client sent, without CR LF.  The first call of a
 * mechanism without initial response (RFC 4954: absent) has has_initial false;
 * "=" is an empty one. */
enum sasl_need sasl_server_start(struct sasl_server *s, bool has_initial,
    struct slice initial, struct buf *out);
enum sasl_need sasl_server_next(
    struct sasl_server *s, struct slice response, struct buf *out);
/* The secret is copied; its text and memo must stay.  NULL: no such user, and
 * no decoy either. */
void sasl_server_secret(
    struct sasl_server *s, const struct sasl_secret *secret);
/* Forgets what is secret. */
void sasl_server_wipe(struct sasl_server *s);

/* The asking side. */
struct sasl_client_options { /* its texts must stay */
	struct slice user;
	struct slice password;
	struct slice hostname; /* the server's, for DIGEST-MD5's digest-uri */
	uint8_t nonce[SASL_NONCE_LEN];
	bool has_binding;
	uint8_t binding[SASL_BINDING_LEN];
};
struct sasl_client {
	enum sasl_mechanism mechanism;
	/* private */
	struct sasl_client_options options;
	uint8_t step;			/* sasl_client.c */
	uint8_t proof[HASH_SHA256_LEN]; /* that the server has to give */
	uint16_t text_len;
	uint8_t text[SASL_TEXT_MAX];
};
/* The best of `offered` (a set of 1 << mechanism): SCRAM-SHA-256-PLUS with a
 * binding, SCRAM-SHA-256, CRAM-MD5, PLAIN, LOGIN (these two only when
 * `clear_allowed`), DIGEST-MD5.  False: none will do. */
bool sasl_client_choose(unsigned offered, bool has_binding, bool clear_allowed,
    enum sasl_mechanism *m);
/* Appends the initial response to `out` ("=" for an empty one); *has_initial
 * false: there is none.  What does not fit (a password too long) sets
 * out->overflowed. */
void sasl_client_init(struct sasl_client *s, enum sasl_mechanism m,
    const struct sasl_client_options *options, bool *has_initial,
    struct buf *out);
/* The server's challenge (base64 of the 334 line): appends the answer.  False:
 * the challenge is nonsense, or the server's own proof is wrong: say "*". */
bool sasl_client_next(
    struct sasl_client *s, struct slice challenge, struct buf *out);
/* After 235: whether the server has proved that it knows the password, where
 * the mechanism has it do so (SCRAM, DIGEST-MD5). */
bool sasl_client_is_satisfied(const struct sasl_client *s);
void sasl_client_wipe(struct sasl_client *s);

#endif
