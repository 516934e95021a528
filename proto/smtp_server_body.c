/* smtp_server_body.c -- the part of a session that takes a message: DATA, BDAT.
 *
 * What comes is handed on in pieces, in the form in which it is stored.  A
 * message that turns out bad is given up at once (ABORT), but its bytes are
 * eaten to their end before the refusal is written: a client reads no reply
 * before. */
#include "core/base/check.h"
#include "proto/smtp_server_parts.h"

/* RFC 3030 */
void server_bdat(struct smtp_server *s, struct slice args,
    const struct reply *no, struct buf *out)
{
	uint64_t size_left = s->options->size_max;

	if (!command_chunk(args, &s->chunk_left, &s->chunk_last)) {
		/* How many octets follow is anybody's guess: we do not. */
		server_say_no(
		    s, out, reply_of(501, "5.5.4", "syntax: BDAT size [LAST]"));
		server_session_end(s);
		return;
	}
	if (s->chunked)
		size_left -= s->body_len - s->dot.stuffed_count;
	s->reply = (struct reply){.code = 0};
	if (no != NULL)
		s->reply = *no;
	else if (s->chunk_left > size_left)
		s->reply = reply_of(552, "5.3.4", "the message is too large");
	s->state = SERVER_CHUNK;
	if (s->reply.code != 0) {
		server_drop_message(s);
	} else if (!s->chunked) {
		s->chunked = true;
		server_ask(s, SMTP_NEED_DATA);
	}
}

void server_answered_data(
    struct smtp_server *s, struct reply reply, struct buf *out)
{
	if (reply.code != 0 && s->chunked && reply.code != 421) {
		s->reply = reply; /* said when the chunk's octets were eaten */
		s->state = SERVER_CHUNK;
		return;
	}
	if (reply.code != 0) {
		server_transaction_end(s);
		server_say_no(s, out, reply);
		return;
	}
	dot_init(&s->dot);
	s->body_len = 0;
	s->receiving = true;
	s->state = s->chunked ? SERVER_CHUNK : SERVER_DATA;
	if (!s->chunked)
		server_say(out, 354, NULL, "end data with <CR><LF>.<CR><LF>");
}

/* What is wrong with the bytes of the message so far; code 0: nothing.  In an
 * order that does not depend on how they were cut. */
static struct reply verdict(const struct smtp_server *s)
{
	if (s->dot.bare_seen)
		return reply_of(
		    550, "5.6.11", "a CR or LF stands alone in the message");
	if (s->dot.nul_seen)
		return reply_of(550, "5.6.0", "a NUL is in the message");
	if (s->body_len - s->dot.stuffed_count > s->options->size_max)
		return reply_of(552, "5.3.4", "the message is too large");
	return (struct reply){.code = 0};
}

static void judge(struct smtp_server *s)
{
	if (verdict(s).code != 0)
		server_drop_message(s);
}

static bool take_piece(
    struct smtp_server *s, struct slice piece, enum smtp_server_need *need)
{
	s->body_len += piece.len;
	judge(s);
	if (!s->receiving)
		return false;
	s->piece = piece;
	*need = SMTP_NEED_BODY;
	return true;
}

/* All bytes have come: asks for the commit, or says what was wrong. */
static void message_end(struct smtp_server *s, struct buf *out)
{
	struct reply reply = s->reply.code != 0 ? s->reply : verdict(s);

	if (s->abort_due)
		return; /* this first, then we come here again */
	if (s->receiving) {
		server_ask(s, SMTP_NEED_COMMIT);
		return;
	}
	s->state = SERVER_COMMAND;
	server_transaction_end(s);
	server_say_no(s, out, reply);
}

bool server_step_data(struct smtp_server *s, struct slice *in, struct buf *out,
    enum smtp_server_need *need)
{
	struct slice piece;

	switch (dot_read(&s->dot, in, &piece)) {
	case DOT_PIECE: return take_piece(s, piece, need);
	case DOT_MORE: *need = SMTP_NEED_INPUT; return true;
	case DOT_DONE: break;
	}
	judge(s);
	message_end(s, out);
	return false;
}

static bool chunk_end(
    struct smtp_server *s, struct buf *out, enum smtp_server_need *need)
{
	char text[48];
	struct buf b = buf_over(text, sizeof(text));

	if (s->receiving && !s->chunk_last) {
		s->state = SERVER_COMMAND;
		s->phase = PHASE_CHUNKS;
		buf_put_number(&b, s->body_len - s->dot.stuffed_count);
		buf_put_str(&b, " octets so far");
		check(reply_put(
		    out, (struct reply){250, "2.0.0", buf_slice(&b)}));
		return false;
	}
	if (s->receiving && s->dot.state != DOT_END) {
		struct slice line_end = dot_stuff_end(&s->dot);

		judge(s); /* a CR may have been the last byte */
		if (s->receiving && line_end.len > 0) {
			s->body_len += line_end.len;
			s->piece = line_end;
			*need = SMTP_NEED_BODY;
			return true;
		}
	}
	message_end(s, out);
	return false;
}

bool server_step_chunk(struct smtp_server *s, struct slice *in, struct buf *out,
    enum smtp_server_need *need)
{
	struct slice part = *in;
	struct slice piece;

	if (s->chunk_left == 0)
		return chunk_end(s, out, need);
	if (in->len == 0) {
		*need = SMTP_NEED_INPUT;
		return true;
	}
	if (part.len > s->chunk_left)
		part.len = (size_t)s->chunk_left;
	if (s->reply.code != 0) { /* refused already: eaten only */
		s->chunk_left -= slice_cut(in, part.len).len;
		return false;
	}
	size_t len = part.len;
	check(dot_stuff(&s->dot, &part, &piece) == DOT_PIECE);
	s->chunk_left -= slice_cut(in, len - part.len).len;
	return take_piece(s, piece, need);
}

void server_answered_commit(
    struct smtp_server *s, struct reply reply, struct buf *out)
{
	char text[64];
	struct buf b = buf_over(text, sizeof(text));

	s->receiving = false; /* the driver has it, or has dropped it */
	server_transaction_end(s);
	if (reply.code != 0) {
		server_say_no(s, out, reply);
		return;
	}
	s->error_count = 0;
	buf_put_str(&b, "queued as ");
	buf_put(&b, reply.text);
	check(reply_put(out, (struct reply){250, "2.0.0", buf_slice(&b)}));
}
