/* pair.h -- a client and a server of TLS in one process, and the bytes between
 * them in two buffers. */
#ifndef TESTS_TLS_PAIR_H
#define TESTS_TLS_PAIR_H

#include <criterion/criterion.h>
#include <stdio.h>

#include "tls/tls.h"

#define FIXTURES "tests/tls/fixtures/"
#define WIRE_MAX 65536

struct file {
	char text[16384];
	size_t len;
};

static inline struct slice file_read(struct file *f, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), FIXTURES "%s", name);
	FILE *in = fopen(path, "r");

	cr_assert(in != NULL, "%s", path);
	f->len = fread(f->text, 1, sizeof(f->text), in);
	fclose(in);
	return slice_of(f->text, f->len);
}

/* A server's context of up to 4 pairs of files, by name. */
struct server_files {
	const char *crt[4];
	const char *key[4];
	size_t count;
	struct tls_ticket_keys *keys;
};

static inline struct tls_context *server_try(
    const struct server_files *from, char *why, size_t why_len)
{
	static struct file crt[4], key[4];
	struct tls_certificate certificates[4];

	for (size_t i = 0; i < from->count; i++)
		certificates[i] = (struct tls_certificate){
		    .crt = file_read(&crt[i], from->crt[i]),
		    .key = file_read(&key[i], from->key[i]),
		    .source = from->crt[i],
		};
	struct tls_server_options options = {.certificates = certificates,
	    .certificate_count = from->count,
	    .ticket_keys = from->keys};

	return tls_server_context(&options, why, why_len);
}

static inline struct tls_context *server_of(
    const char *crt, const char *key, struct tls_ticket_keys *keys)
{
	struct server_files files = {{crt}, {key}, 1, keys};
	char why[256] = "";
	struct tls_context *c = server_try(&files, why, sizeof(why));

	cr_assert(c != NULL, "%s", why);
	return c;
}

static inline struct tls_context *client_of(const char *ca)
{
	struct tls_client_options options = {.ca_file = ca};
	char why[256] = "";
	struct tls_context *c = tls_client_context(&options, why, sizeof(why));

	cr_assert(c != NULL, "%s", why);
	return c;
}

struct wire {
	uint8_t room[WIRE_MAX];
	struct buf buf;
};

struct pair {
	struct tls *client;
	struct tls *server;
	struct wire up; /* client to server */
	struct wire down;
};

static inline void pair_open(struct pair *p, struct tls_context *client,
    struct tls_context *server, const struct tls_peer *peer)
{
	p->client = tls_connect(client, peer);
	p->server = tls_accept(server);
	cr_assert(p->client != NULL && p->server != NULL);
	p->up.buf = buf_over(p->up.room, sizeof(p->up.room));
	p->down.buf = buf_over(p->down.room, sizeof(p->down.room));
}

static inline void pair_close(struct pair *p)
{
	tls_free(p->client);
	tls_free(p->server);
}

/* One side's turn: at most `piece` bytes at a time, all there are. */
static inline enum tls_state pair_feed(
    struct tls *t, struct wire *from, struct wire *to, size_t piece)
{
	enum tls_state state;

	do {
		struct slice all = buf_slice(&from->buf);
		struct slice in =
		    slice_of(all.at, all.len < piece ? all.len : piece);
		size_t had = in.len;

		state = tls_handshake(t, &in, &to->buf);
		if (had - in.len > 0)
			buf_drop(&from->buf, had - in.len);
		else
			break;
	} while (from->buf.len > 0 && state == TLS_HANDSHAKE);
	return state;
}

/* Until both are open, or one has failed (the other hears of it). */
static inline void pair_shake(struct pair *p, size_t piece)
{
	for (int i = 0; i < 20; i++) {
		enum tls_state c =
		    pair_feed(p->client, &p->down, &p->up, piece);
		enum tls_state s =
		    pair_feed(p->server, &p->up, &p->down, piece);

		if (s != TLS_HANDSHAKE && c != TLS_HANDSHAKE)
			return;
		if (s == TLS_FAILED || c == TLS_FAILED) {
			pair_feed(p->client, &p->down, &p->up, piece);
			return;
		}
	}
}

/* What `from` has to say, read by `t`; the number of bytes, or -1 when the
 * connection failed, -2 when it ended. */
static inline long pair_read(
    struct tls *t, struct wire *from, struct wire *back, void *to, size_t room)
{
	struct slice in = buf_slice(&from->buf);
	struct buf plain = buf_over(to, room);
	enum tls_state state = tls_read(t, &in, &plain, &back->buf);

	buf_drop(&from->buf, from->buf.len - in.len);
	if (plain.len > 0 || state == TLS_OPEN)
		return (long)plain.len;
	return state == TLS_ENDED ? -2 : -1;
}

static inline void pair_write(
    struct tls *t, struct wire *to, const void *at, size_t len)
{
	struct slice plain = slice_of(at, len);

	cr_assert_neq(tls_write(t, &plain, &to->buf), TLS_FAILED);
	cr_assert_eq(plain.len, 0);
}

#endif
