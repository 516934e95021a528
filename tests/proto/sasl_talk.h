/* sasl_talk.h -- both sides of a login, with something spoilt on the way. */
#ifndef TESTS_PROTO_SASL_TALK_H
#define TESTS_PROTO_SASL_TALK_H

#include "core/base/base64.h"
#include "core/base/check.h"
#include "proto/sasl.h"

#define TALK_MESSAGES_MAX 4

enum talk_spoil { TALK_WHOLE, TALK_CUT, TALK_FLIP };

struct talk {
	enum sasl_mechanism mechanism;
	const char *user, *password; /* the client's */
	const char *stored;	     /* NULL: nobody is called so */
	bool client_binds, server_binds, bindings_differ, plus_offered;
	/* what is done to which of the client's messages, at which byte of its
	 * plain text */
	enum talk_spoil spoil;
	size_t message, at;
	/* out */
	size_t lens[TALK_MESSAGES_MAX]; /* of the client's messages */
	size_t count;
	bool satisfied; /* the client is */
	bool client_gave_up;
	char name[SASL_USER_MAX + 1]; /* whom the server took it for */
};

/* The base64 of `line` with its plain text spoilt. */
static inline void talk_spoil(struct talk *t, struct buf *line)
{
	uint8_t room[4096];
	struct buf text = buf_over(room, sizeof(room));

	check(base64_decode(buf_slice(line), &text));
	check(t->count < TALK_MESSAGES_MAX);
	t->lens[t->count] = text.len;
	if (t->count++ != t->message || t->spoil == TALK_WHOLE ||
	    t->at >= text.len)
		return;
	if (t->spoil == TALK_CUT)
		text.len = t->at;
	else
		text.at[t->at] ^= 1;
	buf_clear(line);
	base64_encode(buf_slice(&text), line);
}

static inline enum sasl_need talk_serve(struct talk *t, struct sasl_server *s,
    enum sasl_need need, struct buf *challenge)
{
	struct sasl_secret secret;
	const char *why;

	if (need != SASL_NEED_SECRET)
		return need;
	memcpy(t->name, s->user, sizeof(t->name));
	if (t->stored != NULL) {
		check(secret_parse(slice_of_str(t->stored), &secret, &why));
		secret_season(&secret, slice_of_str(s->user),
		    (const uint8_t[HASH_SHA256_LEN]){7});
	}
	sasl_server_secret(s, t->stored != NULL ? &secret : NULL);
	return sasl_server_next(s, SLICE(""), challenge);
}

static inline enum sasl_need talk(struct talk *t)
{
	uint8_t c_room[SASL_LINE_MAX], s_room[SASL_LINE_MAX];
	struct buf to_server = buf_over(c_room, sizeof(c_room));
	struct buf to_client = buf_over(s_room, sizeof(s_room));
	struct sasl_client_options client_options = {
	    .user = slice_of_str(t->user),
	    .password = slice_of_str(t->password),
	    .hostname = SLICE("relay.example"),
	    .nonce = "client's nonce 18b",
	    .has_binding = t->client_binds,
	    .binding = "thirty-two bytes of a TLS export",
	};
	struct sasl_server_options server_options = {
	    .hostname = SLICE("mail.example"),
	    .wall_s = 1700000000,
	    .nonce = "server's nonce 18b",
	    .has_binding = t->server_binds,
	    .binding = "thirty-two bytes of a TLS export",
	    .plus_offered = t->plus_offered,
	};
	struct sasl_client c;
	struct sasl_server s;
	enum sasl_need need;
	bool has_initial;

	t->count = 0;
	t->client_gave_up = false;
	if (t->bindings_differ)
		server_options.binding[31] ^= 1;
	sasl_server_init(&s, t->mechanism, &server_options);
	sasl_client_init(
	    &c, t->mechanism, &client_options, &has_initial, &to_server);
	check(!to_server.overflowed);
	if (has_initial)
		talk_spoil(t, &to_server);
	/* RFC 4954, 4 */
	if (has_initial && to_server.len == 0)
		buf_put_str(&to_server, "=");
	need = talk_serve(t, &s,
	    sasl_server_start(
		&s, has_initial, buf_slice(&to_server), &to_client),
	    &to_client);
	while (need == SASL_NEED_RESPONSE) {
		buf_clear(&to_server);
		if (sasl_client_next(&c, buf_slice(&to_client), &to_server)) {
			talk_spoil(t, &to_server);
		} else {
			t->client_gave_up = true;
			buf_clear(&to_server);
			buf_put_str(&to_server, "*");
		}
		buf_clear(&to_client);
		need = talk_serve(t, &s,
		    sasl_server_next(&s, buf_slice(&to_server), &to_client),
		    &to_client);
	}
	t->satisfied = sasl_client_is_satisfied(&c);
	sasl_client_wipe(&c);
	sasl_server_wipe(&s);
	return need;
}

#endif
