/* smtp_server.h -- the session that answers: RFC 5321 as a machine.
 *
 * It eats bytes from the client, writes replies, and says what it needs next.
 * It does no I/O and knows no clock.  The driver's part:
 *
 *   for (;;) {
 *           need = smtp_server_next(&s, &in, &out);
 *           send what is in `out` (at the latest before it waits for anything)
 *           meet the need, and go on
 *   }
 *
 * Replies are strictly in the order of the commands.  While a need is open
 * (MAIL, RCPT, DATA, COMMIT, TLS, AUTH, RESPONSE) the machine eats nothing; the
 * driver meets it with smtp_server_accept() or smtp_server_refuse(), at once or
 * later; AUTH and RESPONSE also with smtp_server_challenge(). */
#ifndef PROTO_SMTP_SERVER_H
#define PROTO_SMTP_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/slice.h"
#include "proto/address.h"
#include "proto/command.h"
#include "proto/dot.h"
#include "proto/line.h"
#include "proto/params.h"
#include "proto/reply.h"
#include "proto/sasl.h"

/* What must be free in `out` for the machine to go on: the longest reply is
 * EHLO's. */
#define SMTP_SERVER_OUT_MIN 1024

/* Pages that one transaction may take (1 MiB): enough for 1000 recipients with
 * the longest ORCPT; then 452 4.5.3. */
#define SMTP_SERVER_PAGES_MAX 256

/* What is kept of the name in HELO or EHLO; a longer one is cut. */
#define SMTP_SERVER_HELO_MAX 80

/* Bytes of base64 in a challenge, so that it fits into `out`. */
#define SMTP_SERVER_CHALLENGE_MAX 1000
_Static_assert(
    SMTP_SERVER_CHALLENGE_MAX + sizeof("334 \r\n") <= SMTP_SERVER_OUT_MIN,
    "a challenge fits into an empty `out`");

enum smtp_server_need {
	SMTP_NEED_INPUT,  /* everything eaten: more bytes from the client */
	SMTP_NEED_OUTPUT, /* `out` is (nearly) full: send it, call again */
	SMTP_NEED_MAIL,	  /* MAIL FROM is good: s->envelope.from; may it? */
	SMTP_NEED_RCPT,	  /* RCPT TO is good: s->rcpt, not yet in the list */
	SMTP_NEED_DATA,	  /* a message is about to begin: room for it? */
	SMTP_NEED_BODY,	  /* s->piece: next bytes of the message, as stored:
			   * CRLF lines, dot-stuffed; valid until the next call
			   * of smtp_server_next or until `in` changes */
	SMTP_NEED_COMMIT, /* the message is complete: make it durable */
	SMTP_NEED_ABORT,  /* drop what was kept of the message since DATA was
			   * accepted (it is refused, perhaps before all of it
			   * has come, or the session ends inside it); just call
			   * again.  Never after COMMIT */
	SMTP_NEED_TLS,	  /* STARTTLS: may a handshake begin? */
	/* Send what is in `out`, drop whatever is left of `in` (who sent it in
	 * clear hoped that it would be obeyed as if it had come inside of TLS),
	 * do the handshake, say smtp_server_tls_started(). */
	SMTP_NEED_HANDSHAKE,
	/* May the client authenticate by s->mechanism?  s->piece is its initial
	 * response, if s->has_initial; valid until the answer or until `in`
	 * changes. */
	SMTP_NEED_AUTH,
	SMTP_NEED_RESPONSE, /* s->piece: its response to the last challenge;
			     * valid as above */
	SMTP_NEED_CLOSE,    /* send what is in `out`, then close */
};

/* What is the same for all sessions; filled by the worker, shared. */
struct smtp_server_options {
	struct slice hostname;
	uint64_t size_max;	  /* bytes; advertised and enforced */
	uint32_t rcpt_count_max;  /* then 452 4.5.3 */
	uint32_t error_count_max; /* refused commands, then 421 4.7.0 */
	unsigned mechanisms;	  /* AUTH: 1 << enum sasl_mechanism; 0: none */
	bool starttls_offered;
	bool tls_required;   /* 530 before TLS */
	bool auth_required;  /* 530 before AUTH */
	bool auth_needs_tls; /* AUTH is hidden before TLS */
};

struct smtp_server_rcpt {
	struct smtp_server_rcpt *next;
	struct rcpt_params params; /* address, NOTIFY, ORCPT: in the arena */
};

/* One transaction; everything in it lives in the arena until it ends. */
struct smtp_server_envelope {
	struct mail_params from; /* path, SIZE, BODY, SMTPUTF8, RET, ENVID */
	struct smtp_server_rcpt *rcpts; /* in the order given */
	struct smtp_server_rcpt **rcpts_end;
	uint32_t rcpt_count;
};

/* What the machine waits for. */
enum smtp_server_state {
	SERVER_GREETING,  /* the banner has not been written */
	SERVER_COMMAND,	  /* a command line */
	SERVER_ANSWER,	  /* the driver's answer to a need */
	SERVER_DATA,	  /* lines until CRLF.CRLF */
	SERVER_CHUNK,	  /* the rest of a BDAT chunk */
	SERVER_RESPONSE,  /* a line that answers AUTH's challenge */
	SERVER_HANDSHAKE, /* TLS, which is the driver's */
	SERVER_CLOSING,	  /* nothing: CLOSE was, or is about to be, said */
};

/* The fields are the machine's; drivers read those that the needs name. */
struct smtp_server {
	const struct smtp_server_options *options;
	struct arena arena;
	struct smtp_server_envelope envelope;
	struct rcpt_params rcpt; /* SMTP_NEED_RCPT: the one in question */
	struct slice piece;	 /* SMTP_NEED_BODY, AUTH, RESPONSE */
	struct slice helo; /* the name given in HELO or EHLO; empty before.
			    * Looks into this struct: it must not move */
	bool esmtp;	   /* EHLO was said, not HELO */
	bool tls;	   /* inside of TLS */
	bool authenticated;
	bool has_initial; /* SMTP_NEED_AUTH */
	enum sasl_mechanism mechanism;
	/* SMTP_NEED_COMMIT: dot.has_8bit, and the message's own size is
	 * body_len - dot.stuffed_count. */
	struct dot dot;
	uint64_t body_len; /* stored bytes so far */

	/* private */
	enum smtp_server_state state;
	enum command_phase phase;
	enum smtp_server_need question; /* ANSWER: which need is open */
	uint32_t error_count;
	bool answered;
	bool receiving;	  /* DATA was accepted: ABORT or COMMIT is due */
	bool abort_due;	  /* ABORT comes first of all */
	bool chunked;	  /* the message comes by BDAT */
	bool chunk_last;  /* this chunk is the last one */
	bool ending;	  /* smtp_server_end was called */
	bool has_binding; /* inside of TLS, with an exporter */
	struct pool *responses;
	uint8_t helo_room[SMTP_SERVER_HELO_MAX];
	struct line line;
	struct smtp_server_rcpt *rcpt_asked; /* where s->rcpt will go */
	uint64_t chunk_left;
	/* ANSWER: the driver's (code 0: yes).  CHUNK: the chunk was refused
	 * before it came; this is said when it has been eaten. */
	struct reply reply;
	struct reply end_reply;
};

_Static_assert(sizeof(struct smtp_server) <= 512, "an idle session is small");

/* `pages` (ARENA_PAGE_LEN objects): one is taken while a part of a command line
 * waits for the rest, and as many as are needed from MAIL until the transaction
 * ends.  `responses` (LINE_RESPONSE_MAX): one while a part of a response to a
 * challenge waits for the rest.  An idle session has none.  The hostname has at
 * most 255 bytes. */
void smtp_server_init(struct smtp_server *s,
    const struct smtp_server_options *options, struct pool *pages,
    struct pool *responses);
/* Gives the arena's pages back. */
void smtp_server_deinit(struct smtp_server *s);

/* Eats from *in, writes to *out; see enum smtp_server_need.  `out` must have a
 * room of at least SMTP_SERVER_OUT_MIN bytes when it is empty.  While an answer
 * is due it says the same need again; after CLOSE it says CLOSE for ever. */
enum smtp_server_need smtp_server_next(
    struct smtp_server *s, struct slice *in, struct buf *out);

/* Meets a question.  For COMMIT `text` is the queue id, which
 * becomes "250 2.0.0 queued as ID" and must live until the next
 * smtp_server_next; for the others it is empty. */
void smtp_server_accept(struct smtp_server *s, struct slice text);

/* The driver's no, with its own reply; a 421 also closes.  The text must be
 * static for DATA, else live until the next smtp_server_next.  A refused DATA
 * or COMMIT ends the transaction; no ABORT follows. */
void smtp_server_refuse(struct smtp_server *s, struct reply reply);

/* Meets AUTH or RESPONSE: 334 with `text`, base64 of at most
 * SMTP_SERVER_CHALLENGE_MAX bytes, which must live until the next
 * smtp_server_next. */
void smtp_server_challenge(struct smtp_server *s, struct slice text);

/* Inside of TLS from here on: after HANDSHAKE, or before the greeting.
 * `has_binding`: there is a tls-exporter for SCRAM-SHA-256-PLUS. */
void smtp_server_tls_started(struct smtp_server *s, bool has_binding);

/* From outside the dialogue; the session ends at the next smtp_server_next, or
 * as soon as the answer that is due has been given and written.
 *
 * With a reply (time-out, shutdown; its text is static) that happens at once,
 * whatever is left in `in`.  With a code of 0 (the peer sent its end) what it
 * sent before is still obeyed: the session ends when `in` is empty. */
void smtp_server_end(struct smtp_server *s, struct reply reply);

/* Whether the client is inside a transaction whose message is being sent; the
 * driver picks its time-out by it. */
bool smtp_server_in_message(const struct smtp_server *s);

/* Whether an exchange of AUTH is going on; what the driver keeps for it can go
 * when it is not. */
bool smtp_server_in_auth(const struct smtp_server *s);

#endif
