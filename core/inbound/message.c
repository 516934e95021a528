/* message.c -- a message that is being received, from DATA to its commit.
 *
 * The body gathers in `room`.  When more than a spool piece is there, the piece
 * goes to the spool and the session waits until the bytes may be reused: so a
 * message of any size costs one room.  At the end the envelope, the fields that
 * we add and the rest of the body become durable in one commit. */
#include "core/inbound/message.h"

#include "core/inbound/inbound.h"
#include "spool/envelope.h"

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
	m->body = buf_over(m->room, sizeof(m->room));
	header_init(&m->header);
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

enum message_put message_put(struct inbound_message *m, struct slice piece,
    void (*done)(struct spool_wait *w, int result))
{
	if (m->failed)
		return MESSAGE_PUT;
	header_feed(&m->header, piece);
	bool fits = buf_put(&m->body, piece);

	check(fits);
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

static bool put_envelope(struct inbound_message *m, struct buf *out)
{
	struct inbound *c = m->session;
	const struct smtp_server_envelope *from = &c->smtp.envelope;
	struct socket_address_text client = socket_address_format(&c->client);
	struct envelope e = {
	    .sender = from->from.path.full,
	    .envid = from->from.envid,
	    .client = socket_address_slice(&client),
	    .ret = (uint8_t)from->from.ret,
	    .body_8bit = c->smtp.dot.has_8bit,
	    .smtputf8 = needs_smtputf8(m),
	    .rcpt_count = from->rcpt_count,
	};

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
	if (s->envelope.from.smtputf8)
		return SLICE("UTF8SMTP");
	return s->esmtp ? SLICE("ESMTP") : SLICE("SMTP");
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
	struct received r = {
	    .helo = c->smtp.helo,
	    .client = socket_address_slice(&client),
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

bool message_commit(struct inbound_message *m, struct reply *reply,
    void (*done)(struct spool_wait *w, int result))
{
	struct inbound_service *s = m->session->service;
	uint8_t room[SPOOL_HEAD_MAX];
	struct buf head = buf_over(room, sizeof(room));

	header_end(&m->header);
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
