/* message.c -- a message that is being received, from DATA to its commit.
 *
 * The body gathers in `room`.  When more than a spool piece is there, the piece
 * goes to the spool and the session waits until the bytes may be reused: so a
 * message of any size costs one room.  At the end the envelope, the fields that
 * we add and the rest of the body become durable in one commit. */
#include "core/inbound/message.h"

#include <stdio.h>

#include "core/inbound/inbound.h"
#include "proto/idna.h"
#include "proto/mailbox.h"
#include "spool/envelope.h"

#define SIGNED_DOMAIN_MAX 256

struct inbound_message *message_begin(struct inbound *c)
{
	struct inbound_service *s = c->service;
	struct inbound_message *m = pool_take(&s->message_pool);

	if (m == NULL)
		return NULL;
	m->draft = (struct draft){0};
	m->wait = (struct spool_wait){0};
	m->session = c;
	m->begun_ms = loop_now_ms(s->loop);
	m->failed = false;
	m->torn = false;
	m->spooled_len = 0;
	m->body = buf_over(m->room, sizeof(m->room));
	header_init(&m->header);
	dkim_body_init(&m->hashes, c->settings->dkim_canons);
	if (c->settings->dkim_canons != 0 ||
	    sender_reads_header(c->settings->senders, c->user))
		header_keep_from(&m->header, &m->from);
	if (spool_begin(s->spool, &m->draft) < 0) {
		pool_give(&s->message_pool, m);
		return NULL;
	}
	return m;
}

void message_end(struct inbound_message *m)
{
	struct inbound_service *s = m->session->service;

	check(!m->wait.busy);
	if (m->draft.begun)
		spool_abort(s->spool, &m->draft);
	pool_give(&s->message_pool, m);
}

static void write_piece(
    struct inbound_message *m, void (*done)(struct spool_wait *w, int result))
{
	m->wait.done = done;
	spool_append(m->session->service->spool, &m->draft,
	    slice_of(m->body.at, SPOOL_PIECE_MAX), &m->wait);
}

/* A line that is no field ends the header section: to us it is body, to others
 * it is not.  With an empty line in front of it there is one reading (Postfix
 * does the same); without that, a signature might not fit what is read. */
static void separate(struct inbound_message *m)
{
	static const uint8_t empty_line[2] = "\r\n";

	if (m->header.len < m->spooled_len) {
		m->torn = true; /* the line began in what is written */
		return;
	}
	size_t at = (size_t)(m->header.len - m->spooled_len);

	check(at <= m->body.len && buf_left(&m->body) >= 2);
	memmove(m->body.at + at + 2, m->body.at + at, m->body.len - at);
	memcpy(m->body.at + at, empty_line, 2);
	m->body.len += 2;
}

enum message_put message_put(struct inbound_message *m, struct slice piece,
    void (*done)(struct spool_wait *w, int result))
{
	if (m->failed)
		return MESSAGE_PUT;
	bool ended = m->header.ended;
	bool fits = buf_put(&m->body, piece);

	check(fits);
	header_feed(&m->header, piece);
	dkim_body_feed(&m->hashes, piece);
	if (!ended && m->header.torn)
		separate(m);
	if (m->body.len <= SPOOL_PIECE_MAX)
		return MESSAGE_PUT;
	write_piece(m, done);
	return MESSAGE_PUT_WAIT;
}

enum message_put message_written(
    struct inbound_message *m, void (*done)(struct spool_wait *w, int result))
{
	if (m->failed) {
		buf_clear(&m->body);
		return MESSAGE_PUT;
	}
	buf_drop(&m->body, SPOOL_PIECE_MAX);
	m->spooled_len += SPOOL_PIECE_MAX;
	if (m->body.len <= SPOOL_PIECE_MAX)
		return MESSAGE_PUT;
	write_piece(m, done);
	return MESSAGE_PUT_WAIT;
}

/* RFC 6531, 3.6: only what really needs SMTPUTF8 asks the next hop for it. */
static bool needs_smtputf8(const struct inbound_message *m)
{
	const struct smtp_server_envelope *e = &m->session->smtp.envelope;

	if (!e->from.smtputf8)
		return false;
	if (m->header.has_8bit || !ascii_only(e->from.path.full))
		return true;
	for (struct smtp_server_rcpt *r = e->rcpts; r != NULL; r = r->next)
		if (!ascii_only(r->params.path.full))
			return true;
	return false;
}

_Static_assert(ENVELOPE_HASH_COUNT == DKIM_CANON_COUNT &&
		   ENVELOPE_HASH_LEN == DKIM_HASH_LEN,
    "what is hashed is kept");

static bool put_envelope(struct inbound_message *m, struct buf *out)
{
	struct inbound *c = m->session;
	const struct smtp_server_envelope *from = &c->smtp.envelope;
	struct socket_address_text client = socket_address_format(&c->client);
	struct envelope e = {
	    .sender = from->from.path.full,
	    .envid = from->from.envid,
	    .client = socket_address_slice(&client),
	    .user = c->user == NULL ? SLICE("") : c->user->name,
	    .ret = (uint8_t)from->from.ret,
	    .body_8bit = c->smtp.dot.has_8bit,
	    .smtputf8 = needs_smtputf8(m),
	    .rcpt_count = from->rcpt_count,
	};

	uint8_t hashes[DKIM_CANON_COUNT][DKIM_HASH_LEN];

	for (unsigned i = 0; i < DKIM_CANON_COUNT; i++) {
		if (!(m->hashes.canons & 1u << i))
			continue;
		dkim_body_finish(&m->hashes, (enum dkim_canon)i, hashes[i]);
		e.body_hash[i] = slice_of(hashes[i], DKIM_HASH_LEN);
	}
	buf_clear(out);
	envelope_put(out, &e);
	for (struct smtp_server_rcpt *r = from->rcpts; r != NULL; r = r->next)
		envelope_put_rcpt(out, &(struct envelope_rcpt){
					   .address = r->params.path.full,
					   .orcpt = r->params.orcpt,
					   .notify = r->params.notify,
				       });
	return !out->overflowed;
}

/* RFC 3848 and 6531, 3.7.3: what stands behind "with". */
static struct slice protocol(const struct smtp_server *s)
{
	static const char *const names[2][2][2] = {
	    /* UTF-8, TLS, AUTH */
	    {{"ESMTP", "ESMTPA"}, {"ESMTPS", "ESMTPSA"}},
	    {{"UTF8SMTP", "UTF8SMTPA"}, {"UTF8SMTPS", "UTF8SMTPSA"}},
	};

	if (!s->esmtp) /* HELO: has no such variants */
		return SLICE("SMTP");
	return slice_of_str(
	    names[s->envelope.from.smtputf8][s->tls][s->authenticated]);
}

/* Received, and the fields that the client left out. */
static bool put_head(struct inbound_message *m, struct buf *out)
{
	struct inbound *c = m->session;
	const struct smtp_server_envelope *e = &c->smtp.envelope;
	struct slice hostname = c->settings->smtp.hostname;
	uint64_t wall_s = loop_wall_s(c->service->loop);
	struct id_text id = id_format(m->draft.id);
	struct slice id_slice = slice_of(id.at, id.len);
	struct socket_address_text client = socket_address_format(&c->client);
	const struct tls *tls = c->stream.tls;
	struct received r = {
	    .helo = c->smtp.helo,
	    .client = socket_address_slice(&client),
	    .tls_version = tls == NULL ? NULL : tls_version(tls),
	    .tls_cipher = tls == NULL ? NULL : tls_cipher(tls),
	    .client_v6 = c->client.any.sa_family == AF_INET6,
	    .hostname = hostname,
	    .with = protocol(&c->smtp),
	    .id = id_slice,
	    .rcpt = e->rcpt_count == 1 ? e->rcpts->params.path.full
				       : (struct slice){NULL, 0},
	    .wall_s = wall_s,
	};

	received_put(out, &r);
	header_missing_put(
	    out, &m->header, e->from.path.full, hostname, id_slice, wall_s);
	if (m->header.needs_separator)
		buf_put_str(out, "\r\n");
	return !out->overflowed;
}

/* Who wrote it decides which key signs it: with a From that readers may
 * understand in several ways there is no right one. */
static const char *flaw_of_from(const struct inbound_message *m)
{
	uint8_t room[HEADER_FROM_MAX];
	struct mailbox_list list;
	const char *why = NULL;
	/* Without one it will be the envelope's sender, or ourselves. */
	struct slice text = m->session->smtp.envelope.from.path.full;

	if (m->header.has_from)
		text = slice_of(m->from.text, m->from.len);
	if (m->hashes.canons == 0 || (!m->header.has_from && text.len == 0))
		return NULL;
	if (m->header.has_from && m->from.too_long)
		return "it is too long";
	if (!mailbox_list_parse(text, room, &list, &why))
		return why;
	if (list.count == 0)
		return "it names nobody";
	uint8_t name[SIGNED_DOMAIN_MAX];
	struct buf domain = buf_over(name, sizeof(name));

	/* As it will be looked for among those that have keys. */
	if (list.at[0].domain.len > SIGNED_DOMAIN_MAX ||
	    (!ascii_only(list.at[0].domain) &&
		!idna_put(&domain, list.at[0].domain)))
		return "its domain is no name";
	return NULL;
}

/* Whether nobody can read the message with certainty: m->flaw. */
static bool is_flawed(struct inbound_message *m)
{
	const char *from = flaw_of_from(m);

	if (m->torn)
		snprintf(m->flaw, sizeof(m->flaw),
		    "a line in the header section is no field");
	else if (from != NULL)
		snprintf(m->flaw, sizeof(m->flaw),
		    "the From field cannot be read: %s", from);
	return m->torn || from != NULL;
}

void message_is_whole(struct inbound_message *m)
{
	/* Without a body: many do not see a header section's end in the end of
	 * the message, and so no signature. */
	if (!m->header.ended && !m->failed)
		buf_put_str(&m->body, "\r\n");
	header_end(&m->header);
}

bool message_commit(struct inbound_message *m, struct reply *reply,
    void (*done)(struct spool_wait *w, int result))
{
	struct inbound_service *s = m->session->service;
	uint8_t room[SPOOL_HEAD_MAX];
	struct buf head = buf_over(room, sizeof(room));

	check(m->header.ended);
	if (m->header.received_count > HEADER_RECEIVED_MAX) {
		*reply = (struct reply){554, "5.4.6",
		    SLICE("too many Received fields: a mail loop")};
		return false;
	}
	if (m->failed) {
		*reply = (struct reply){452, "4.3.1",
		    SLICE("insufficient system storage, try again later")};
		return false;
	}
	if (is_flawed(m)) {
		*reply = (struct reply){550, "5.6.0", slice_of_str(m->flaw)};
		return false;
	}
	if (!put_envelope(m, &s->envelope) || !put_head(m, &head)) {
		*reply = (struct reply){
		    452, "4.5.3", SLICE("too much recipient data")};
		return false;
	}
	m->wait.done = done;
	spool_commit(s->spool, &m->draft, buf_slice(&s->envelope),
	    buf_slice(&head), buf_slice(&m->body), NULL, NULL, &m->wait);
	return true;
}
