/* smtp_client.h -- the session that asks: RFC 5321 as a machine.
 *
 * Pulled like the server: it eats the server's bytes, writes commands, and says
 * what it needs next.  Used by outbound delivery, by bench and by the tests.
 *
 *   greeting, EHLO (HELO when that is refused)
 *   -> CLIENT_NEED_MESSAGE: smtp_client_send(transaction) or smtp_client_quit
 *   -> MAIL, RCPTs, DATA in one go where PIPELINING is offered, else one by one
 *   -> CLIENT_NEED_BODY: the driver sends the stored bytes (dot-stuffed, CRLF at
 *      the end), then calls smtp_client_body_sent, which writes ".\r\n"
 *   -> CLIENT_NEED_RESULT: every recipient of the transaction has its outcome
 *   -> CLIENT_NEED_MESSAGE again, ...
 *   -> CLIENT_NEED_CLOSE
 *
 * Must hold: each recipient of a transaction gets exactly one outcome, however
 * the session ends. */
#ifndef PROTO_SMTP_CLIENT_H
#define PROTO_SMTP_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/slice.h"
#include "proto/outcome.h"
#include "proto/reply_reader.h"

enum smtp_client_need {
	CLIENT_NEED_INPUT,   /* `out` is to be sent; then the server's answer */
	CLIENT_NEED_OUTPUT,  /* `out` is (nearly) full: send it, call again */
	CLIENT_NEED_MESSAGE, /* a transaction, or quit */
	CLIENT_NEED_BODY,    /* send `out`, the body, then _body_sent */
	CLIENT_NEED_RESULT,  /* the outcomes are final; call again to go on */
	CLIENT_NEED_CLOSE,   /* send `out`, then close; s->closed_by tells why */
};

/* What the driver's time-out must be while it waits (RFC 5321, 4.5.3.2). */
enum smtp_client_wait {
	CLIENT_WAIT_GREETING, /* 5 min */
	CLIENT_WAIT_HELLO,    /* 5 min */
	CLIENT_WAIT_MAIL,     /* 5 min */
	CLIENT_WAIT_RCPT,     /* 5 min */
	CLIENT_WAIT_DATA,     /* 2 min */
	CLIENT_WAIT_BODY,     /* 3 min a block */
	CLIENT_WAIT_DOT,      /* 10 min */
	CLIENT_WAIT_RESET,    /* RSET, QUIT: short */
};

struct smtp_client_rcpt {
	struct slice address;  /* without <> */
	struct slice orcpt;    /* "rfc822;..." or empty */
	uint8_t notify;	       /* set of enum dsn_notify; 0 = absent */
	struct outcome outcome; /* the machine's answer */
};

/* A message for some recipients.  Belongs to the driver and must stay from
 * smtp_client_send until CLIENT_NEED_RESULT (or smtp_client_fail). */
struct smtp_client_transaction {
	struct slice sender;   /* without <>; empty = null sender */
	uint64_t size;	       /* bytes of the message, for SIZE= and its check */
	bool body_8bit;	       /* the body needs 8BITMIME */
	bool smtputf8;	       /* an address or the header needs SMTPUTF8 */
	uint8_t ret;	       /* enum dsn_ret */
	struct slice envid;
	struct smtp_client_rcpt *rcpts;
	uint32_t rcpt_count;
	uint32_t accepted_count; /* the machine's: RCPTs answered 2xx */
};

/* What the server offered in EHLO; facts, not states. */
struct smtp_client_offers {
	bool esmtp, pipelining, size, eightbitmime, smtputf8, dsn, starttls,
	    chunking;
	uint64_t size_max;     /* 0 = no limit named */
	struct slice auth;     /* the mechanisms' words; in the machine's room */
};

struct smtp_client {
	struct slice helo;     /* our name */
	struct smtp_client_offers offers;
	struct smtp_client_transaction *transaction; /* now, or NULL */
	uint32_t message_count; /* transactions that ended on this session */
	/* private */
};

void smtp_client_init(struct smtp_client *s, struct slice helo);

enum smtp_client_need smtp_client_next(
    struct smtp_client *s, struct slice *in, struct buf *out);

enum smtp_client_wait smtp_client_waits_for(const struct smtp_client *s);

/* Only when CLIENT_NEED_MESSAGE was said. */
void smtp_client_send(
    struct smtp_client *s, struct smtp_client_transaction *t);
void smtp_client_quit(struct smtp_client *s);

/* Only when CLIENT_NEED_BODY was said; `complete` false = the body could not be
 * read to its end: the machine then must not send the dot, and fails the
 * transaction with `why` (the connection ends). */
void smtp_client_body_sent(
    struct smtp_client *s, bool complete, struct outcome why);

/* The connection broke, timed out or could not be made: every recipient that
 * has no outcome gets `why`; the session is over.  After the dot was sent the
 * outcome is "in doubt": try later. */
void smtp_client_fail(struct smtp_client *s, struct outcome why);

#endif
