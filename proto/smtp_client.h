/* smtp_client.h -- the session that asks: RFC 5321 as a machine.
 *
 * Pulled like the server: it eats the server's bytes, writes commands, and says
 * what it needs next.  Used by outbound delivery, by bench and by the tests.
 *
 *   greeting, EHLO (HELO when that is refused)
 *   -> STARTTLS, CLIENT_NEED_TLS, EHLO again; AUTH: as the driver wants it
 *   -> CLIENT_NEED_MESSAGE: smtp_client_send(transaction) or smtp_client_quit
 *   -> MAIL, RCPTs, DATA in one go where PIPELINING is offered, else one by one
 *   -> CLIENT_NEED_BODY: the driver sends the stored bytes (dot-stuffed, with
 *      CRLF at the end), then calls smtp_client_body_sent; the next call
 *      of smtp_client_next writes the final dot
 *   -> CLIENT_NEED_RESULT: every recipient of the transaction has its outcome
 *   -> CLIENT_NEED_MESSAGE again, ...
 *   -> CLIENT_NEED_CLOSE
 *
 * The driver keeps its receive armed while it sends: a server that waits for us
 * to read its replies reads no more commands (RFC 2920, 3.1).
 *
 * Must hold: each recipient of a transaction gets exactly one outcome, however
 * the session ends; no reply is taken for the answer to a command that was not
 * yet written. */
#ifndef PROTO_SMTP_CLIENT_H
#define PROTO_SMTP_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/slice.h"
#include "proto/outcome.h"
#include "proto/reply_reader.h"
#include "proto/smtp_offers.h"

struct smtp_client_login; /* proto/smtp_client_login.h */

/* The room that `out` must have when it is empty: the longest command. */
#define SMTP_CLIENT_OUT_MIN 2048
/* Commands that wait for their reply at one time. */
#define SMTP_CLIENT_PIPELINE_MAX 100

enum smtp_client_need {
	CLIENT_NEED_INPUT,   /* `out` is to be sent; then the server's answer */
	CLIENT_NEED_OUTPUT,  /* `out` is (nearly) full: send it, call again */
	CLIENT_NEED_TLS,     /* the handshake, then smtp_client_tls_started */
	CLIENT_NEED_MESSAGE, /* a transaction, or quit */
	CLIENT_NEED_BODY,   /* send `out`, the body, then _body_sent; when input
			     * comes meanwhile, call with it: the answer may
			     * be RESULT (the server broke off), else go on */
	CLIENT_NEED_RESULT, /* the outcomes are final; call again to go on */
	CLIENT_NEED_CLOSE,  /* send `out`, then close; s->closed_by tells why */
};

/* What the driver wants of the session before the first message. */
enum smtp_client_tls {
	CLIENT_TLS_NONE,
	CLIENT_TLS_MAY,	 /* where it is offered; a refusal is no matter */
	CLIENT_TLS_MUST, /* no message and no password without */
};

/* What the driver's time-out must be while it waits (RFC 5321, 4.5.3.2). */
enum smtp_client_wait {
	CLIENT_WAIT_GREETING, /* 5 min */
	CLIENT_WAIT_HELLO,    /* 5 min; STARTTLS and AUTH, too */
	CLIENT_WAIT_MAIL,     /* 5 min */
	CLIENT_WAIT_RCPT,     /* 5 min */
	CLIENT_WAIT_DATA,     /* 2 min */
	CLIENT_WAIT_BODY,     /* 3 min a block */
	CLIENT_WAIT_DOT,      /* 10 min */
	CLIENT_WAIT_RESET,    /* RSET, QUIT: short */
};

struct smtp_client_rcpt {
	struct slice address;	/* without <> */
	struct slice orcpt;	/* "rfc822;..." or empty */
	uint8_t notify;		/* set of enum dsn_notify; 0 = absent */
	struct outcome outcome; /* the machine's answer */
};

/* A message for some recipients.  Belongs to the driver and must stay from
 * smtp_client_send until CLIENT_NEED_RESULT (or smtp_client_fail). */
struct smtp_client_transaction {
	struct slice sender; /* without <>; empty = null sender */
	uint64_t size;	     /* bytes of the message, for SIZE= and its check */
	bool body_8bit;	     /* the body needs 8BITMIME */
	bool smtputf8;	     /* an address or the header needs SMTPUTF8 */
	uint8_t ret;	     /* enum dsn_ret */
	struct slice envid;
	struct smtp_client_rcpt *rcpts;
	uint32_t rcpt_count;
	uint32_t accepted_count; /* the machine's: RCPTs answered 2xx */
};

enum smtp_client_state {
	CLIENT_GREETING,    /* waiting for 220 */
	CLIENT_EHLO,	    /* EHLO is sent: the extensions */
	CLIENT_HELO,	    /* EHLO was refused, HELO is sent */
	CLIENT_STARTTLS,    /* STARTTLS is sent */
	CLIENT_TLS,	    /* the driver's handshake */
	CLIENT_LOGIN,	    /* AUTH, or an answer to a challenge, is sent */
	CLIENT_IDLE,	    /* the driver's next transaction, or quit */
	CLIENT_ENVELOPE,    /* (RSET,) MAIL, RCPTs, DATA and their replies */
	CLIENT_BODY,	    /* 354 seen, the driver sends the body */
	CLIENT_DOT,	    /* "." is sent: from here on a loss is a doubt */
	CLIENT_EMPTY_DOT,   /* "." is sent for a message without recipients */
	CLIENT_RESULT,	    /* the transaction is over, the session goes on */
	CLIENT_LAST_RESULT, /* both are over */
	CLIENT_QUIT,	    /* QUIT is sent */
	CLIENT_CLOSED,	    /* over */
};

struct smtp_client {
	struct slice helo; /* our name */
	/* For the driver to set behind smtp_client_init: */
	enum smtp_client_tls tls;
	struct smtp_client_login *login; /* who we are for AUTH: no message
					  * without it; NULL: nobody, or AUTH is
					  * done and this no longer needed */
	/* Facts: */
	bool tls_begun;	 /* STARTTLS is said, and was not refused */
	bool tls_on;	 /* the handshake is done */
	bool tls_proven; /* a reply came through it */
	struct smtp_offers offers;
	struct smtp_client_transaction
	    *transaction;	  /* now, or NULL; still set
				   * at CLIENT_NEED_RESULT, gone with the next
				   * call */
	uint32_t message_count;	  /* transactions that ended on this session */
	struct outcome closed_by; /* CLIENT_NEED_CLOSE: what ended the session;
				   * kind OUTCOME_NONE after smtp_client_quit */
	uint32_t turn_count;	  /* commands and whole replies so far: the
				   * driver's time-out begins with each, and not
				   * with each byte */
	/* private */
	enum smtp_client_state state;
	bool spoken;	  /* the one command of this state was written */
	bool mail_open;	  /* the server has a MAIL that came to no dot */
	bool stopped;	  /* ENVELOPE: no more commands, only their replies */
	bool quit_due;	  /* CLOSED: a QUIT whose reply nobody waits for */
	bool out_of_turn; /* the reply being read began before its command */
	uint32_t awaited_count; /* replies that the server owes us */
	uint32_t written;  /* ENVELOPE: the next command to be written ... */
	uint32_t answered; /* ... and the one whose reply comes next */
	struct reply_reader reply;
};

/* The bytes of `helo` must stay as long as the session.  No TLS and no AUTH
 * unless s->tls and s->login are set next. */
void smtp_client_init(struct smtp_client *s, struct slice helo);

/* Eats from *in (all of it, unless it says RESULT or CLOSE), writes to *out;
 * see enum smtp_client_need.  What is in `out` is to be sent in any case. */
enum smtp_client_need smtp_client_next(
    struct smtp_client *s, struct slice *in, struct buf *out);

enum smtp_client_wait smtp_client_waits_for(const struct smtp_client *s);

/* After CLIENT_NEED_TLS: all that follows goes through TLS.  What the server
 * said before is forgotten (RFC 3207, 4.2). */
void smtp_client_tls_started(struct smtp_client *s);

/* The session ended (or will) between STARTTLS and the first reply through TLS:
 * without TLS the server may be a better one. */
static inline bool smtp_client_tls_in_doubt(const struct smtp_client *s)
{
	return s->tls_begun && !s->tls_proven;
}

/* At CLIENT_NEED_RESULT: whether the session ended with the transaction. */
static inline bool smtp_client_is_over(const struct smtp_client *s)
{
	return s->state == CLIENT_CLOSED;
}

/* Only when CLIENT_NEED_MESSAGE was said.  A message that the server cannot
 * take by its own offers (5.3.4 too big for its SIZE, 5.6.3 no 8BITMIME, 5.6.7
 * no SMTPUTF8) fails without a word to it, and the session goes on. */
void smtp_client_send(struct smtp_client *s, struct smtp_client_transaction *t);
void smtp_client_quit(struct smtp_client *s);

/* Only when CLIENT_NEED_BODY was said (and nothing else since); `complete`
 * false = the body could not be read to its end: the machine then must not send
 * the dot, and fails the transaction with `why` (the connection ends). */
void smtp_client_body_sent(
    struct smtp_client *s, bool complete, struct outcome why);

/* The connection broke, timed out or could not be made: every recipient that
 * has no outcome gets `why` (DEFERRED or OTHER_HOST; after the dot was written
 * always DEFERRED: the message may have arrived).  Allowed at any time.  The
 * next call says CLIENT_NEED_RESULT if a transaction was under way, and then
 * CLIENT_NEED_CLOSE, as after any other end of a session; the transaction is
 * not touched again. */
void smtp_client_fail(struct smtp_client *s, struct outcome why);

#endif
