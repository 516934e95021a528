/* sasl_mechanism.h -- what is the same in all mechanisms, for their files
 * alone.
 *
 * The server's machine reads base64 and "*", and hands a mechanism plain text;
 * it asks for the secret when the mechanism says so. */
#ifndef PROTO_SASL_MECHANISM_H
#define PROTO_SASL_MECHANISM_H

#include "proto/sasl.h"

/* One response as plain text: a password of full length, in every form. */
#define SASL_PLAIN_MAX 3072

/* `challenge` is plain text here; the machine writes it as base64. */
struct sasl_server_mechanism {
	/* The client may speak first.  When it does not, the challenge that
	 * asks it to; else the mechanism's first. */
	bool client_first;
	void (*begin)(struct sasl_server *s, struct buf *challenge);
	enum sasl_need (*answer)(struct sasl_server *s, struct slice response,
	    struct buf *challenge);
	/* The secret has come. */
	enum sasl_need (*judge)(struct sasl_server *s, struct buf *challenge);
};

extern const struct sasl_server_mechanism sasl_server_plain;
extern const struct sasl_server_mechanism sasl_server_login;
extern const struct sasl_server_mechanism sasl_server_cram;
extern const struct sasl_server_mechanism sasl_server_digest;
extern const struct sasl_server_mechanism sasl_server_scram;

/* The user's name; false: empty, too long, or with control characters. */
bool sasl_server_set_user(struct sasl_server *s, struct slice name);
/* Appends to what is remembered; false: no room. */
bool sasl_server_keep(struct sasl_server *s, struct slice text);
static inline struct slice sasl_server_kept(const struct sasl_server *s)
{
	return slice_of(s->text, s->text_len);
}
static inline struct slice sasl_server_user(const struct sasl_server *s)
{
	return slice_of(s->user, s->user_len);
}
/* The nonce as text, appended. */
void sasl_put_nonce(const uint8_t nonce[SASL_NONCE_LEN], struct buf *out);

/* The asking side: `answer` is plain text too.  `step` counts the challenges
 * that were answered. */
struct sasl_client_mechanism {
	bool client_first;
	/* The initial response; also the answer to an empty first challenge.
	 * NULL: the server speaks first. */
	bool (*begin)(struct sasl_client *s, struct buf *answer);
	bool (*answer)(
	    struct sasl_client *s, struct slice challenge, struct buf *answer);
	bool proves; /* the server has to give a proof */
};

extern const struct sasl_client_mechanism sasl_client_plain;
extern const struct sasl_client_mechanism sasl_client_login;
extern const struct sasl_client_mechanism sasl_client_cram;
extern const struct sasl_client_mechanism sasl_client_digest;
extern const struct sasl_client_mechanism sasl_client_scram;

bool sasl_client_keep(struct sasl_client *s, struct slice text);
static inline struct slice sasl_client_kept(const struct sasl_client *s)
{
	return slice_of(s->text, s->text_len);
}
#define SASL_CLIENT_PROVED 255 /* step: the server's proof was good */

#endif
