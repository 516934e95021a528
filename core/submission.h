/* submission.h -- one message, handed to one server by a command-line tool. */
#ifndef CORE_SUBMISSION_H
#define CORE_SUBMISSION_H

#include <stdio.h>

#include "core/config/config.h"
#include "proto/smtp_client.h"

#define SUBMISSION_RCPTS_MAX 1000

enum submission_tls {
	SUBMISSION_NONE,
	SUBMISSION_MAY,	     /* where it is offered */
	SUBMISSION_ENCRYPT,  /* or not at all, with whoever it is */
	SUBMISSION_VERIFY,   /* and the certificate is good for the host */
	SUBMISSION_IMPLICIT, /* from the first byte on, with whoever it is */
};
/* "none", "may", ...; false: no such word. */
bool submission_tls_parse(const char *word, enum submission_tls *tls);

/* To whom, and how. */
struct submission_server {
	char host[256];
	uint16_t port;
	enum submission_tls tls;
	bool clear_allowed; /* PLAIN and LOGIN without TLS */
	const char *user;   /* NULL: no AUTH */
	struct slice password;
};

/* The relay that the configuration describes, on this machine; its user is the
 * first whose password is there to be read, when the relay wants one.  NULL: on
 * the port of a relay nothing is known of.  False: it listens nowhere that
 * takes mail without a PROXY header. */
bool submission_server_here(
    struct submission_server *server, const struct config *config);

struct submission {
	const struct submission_server *server;
	struct slice helo;
	struct smtp_client_transaction *transaction;
	struct slice body; /* as SMTP wants it, without the final dot */
	unsigned wait_s;   /* for each step */
	FILE *show;	   /* the dialogue; NULL: nowhere */
	FILE *err;	   /* what went wrong, a sentence a line */
};

/* 0: it was taken for all recipients, whose outcomes have the reply.  Else it
 * was said on `err` what went wrong: 67 no such recipient, 68 no such host, 69
 * refused for good, 75 perhaps later, 76 no TLS or AUTH that will do, 77 user
 * or password is wrong. */
int submission_run(const struct submission *s);

#endif
