/* test_smtp_client.c -- conversations in which the test is the server.
 *
 * A script has a line for everything that is said: "S: " the server, "C: " the
 * client ("C: body" is the driver's body), "X" the connection breaks.  What the
 * client says must be what the script says, no more and no less.  Each script
 * is played whole and in pieces of every size, with a large and with the
 * smallest output buffer, and broken off at every byte. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/check.h"
#include "proto/params.h"
#include "proto/smtp_client.h"

#define MESSAGES_MAX 3
#define RCPTS_MAX 4

struct message {
	const char *rcpts[RCPTS_MAX]; /* none: the end of the list */
	const char *sender;	      /* NULL = s@a.example */
	uint64_t size;
	bool body_8bit, smtputf8;
	uint8_t ret, notify;
	const char *envid, *orcpt;
};

struct talk {
	const char *name;
	struct message messages[MESSAGES_MAX];
	const char *script;
	/* A line for each recipient: kind, code, status, "!" when the site is
	 * at fault, text; then one for what closed the session, "-" = QUIT. */
	const char *outcomes;
};

#define TO(...) .rcpts = {__VA_ARGS__}
#define HELLO                                                                  \
	"S: 220 mx ESMTP\n"                                                    \
	"C: EHLO me.example\n"
#define HELLO_PLAIN HELLO "S: 250 mx\n"
#define HELLO_PIPE HELLO "S: 250-mx\nS: 250 PIPELINING\n"
#define BYE "C: QUIT\nS: 221 bye\n"
#define ENVELOPE_PIPE                                                          \
	"C: MAIL FROM:<s@a.example>\n"                                         \
	"C: RCPT TO:<b@x>\n"                                                   \
	"C: RCPT TO:<c@x>\n"                                                   \
	"C: DATA\n"

static const struct talk talks[] = {
    {"one by one without PIPELINING", {{TO("b@x", "c@x")}},
	HELLO_PLAIN
	"C: MAIL FROM:<s@a.example>\nS: 250 ok\n"
	"C: RCPT TO:<b@x>\nS: 250 ok\n"
	"C: RCPT TO:<c@x>\nS: 251 will forward\n"
	"C: DATA\nS: 354 go\nC: body\nC: .\nS: 250 2.6.0 queued\n" BYE,
	"D 250 2.6.0 queued\nD 250 2.6.0 queued\n-"},
    {"in one go with PIPELINING", {{TO("b@x", "c@x")}},
	HELLO_PIPE ENVELOPE_PIPE "S: 250 ok\nS: 250 ok\nS: 250 ok\nS: 354 go\n"
				 "C: body\nC: .\nS: 250 2.6.0 queued\n" BYE,
	"D 250 2.6.0 queued\nD 250 2.6.0 queued\n-"},
    {"a long greeting", {{TO("b@x")}},
	"S: 220-mx\nS: 220-no spam\nS: 220 here\nC: EHLO me.example\n"
	"S: 250 mx\nC: MAIL FROM:<s@a.example>\nS: 250 ok\n"
	"C: RCPT TO:<b@x>\nS: 250 ok\n"
	"C: DATA\nS: 354 go\nC: body\nC: .\nS: 250 ok\n" BYE,
	"D 250 2.0.0 ok\n-"},
    {"HELO when EHLO is refused", {{TO("b@x"), .size = 9}},
	HELLO "S: 502 5.5.1 what?\nC: HELO me.example\n"
	      "S: 250-mx\nS: 250 PIPELINING\n"
	      "C: MAIL FROM:<s@a.example>\nS: 250 ok\n"
	      "C: RCPT TO:<b@x>\nS: 250 ok\n"
	      "C: DATA\nS: 354 go\nC: body\nC: .\nS: 250 ok\n" BYE,
	"D 250 2.0.0 ok\n-"},
    {"the first line of the reply to EHLO is no extension", {{TO("b@x")}},
	HELLO "S: 250 PIPELINING\n"
	      "C: MAIL FROM:<s@a.example>\nS: 550 5.7.1 no\n" BYE,
	"F 550 5.7.1 no\n-"},
    {"two messages, the second without RSET", {{TO("b@x")}, {TO("c@x")}},
	HELLO_PIPE
	"C: MAIL FROM:<s@a.example>\nC: RCPT TO:<b@x>\nC: DATA\n"
	"S: 250 ok\nS: 250 ok\nS: 354 go\nC: body\nC: .\nS: 250 one\n"
	"C: MAIL FROM:<s@a.example>\nC: RCPT TO:<c@x>\nC: DATA\n"
	"S: 250 ok\nS: 250 ok\nS: 354 go\nC: body\nC: .\nS: 451 two\n" BYE,
	"D 250 2.0.0 one\nL 451 4.0.0 two\n-"},
    {"the null sender", {{TO("b@x"), .sender = ""}},
	HELLO_PLAIN "C: MAIL FROM:<>\nS: 250 ok\n"
		    "C: RCPT TO:<b@x>\nS: 250 ok\n"
		    "C: DATA\nS: 354 go\nC: body\nC: .\nS: 250 ok\n" BYE,
	"D 250 2.0.0 ok\n-"},

    /* What the server offers. */
    {"parameters that are offered",
	{{TO("b@x"), .size = 100, .body_8bit = true, .smtputf8 = true,
	    .ret = DSN_RET_HDRS, .envid = "QQ+2B", .orcpt = "rfc822;b@y",
	    .notify = DSN_NOTIFY_FAILURE | DSN_NOTIFY_DELAY}},
	HELLO
	"S: 250-mx\nS: 250-size 100\nS: 250-8bitmime\n"
	"S: 250-Dsn\nS: 250-AUTH PLAIN\nS: 250 SMTPUTF8\n"
	"C: MAIL FROM:<s@a.example> SIZE=100 BODY=8BITMIME SMTPUTF8 RET=HDRS "
	"ENVID=QQ+2B\nS: 250 ok\n"
	"C: RCPT TO:<b@x> NOTIFY=FAILURE,DELAY ORCPT=rfc822;b@y\nS: 250 ok\n"
	"C: DATA\nS: 354 go\nC: body\nC: .\nS: 250 ok\n" BYE,
	"D 250 2.0.0 ok\n-"},
    {"parameters that are not offered",
	{{TO("b@x"), .size = 100, .ret = DSN_RET_FULL, .envid = "QQ",
	    .orcpt = "rfc822;b@y", .notify = DSN_NOTIFY_NEVER}},
	HELLO_PLAIN
	"C: MAIL FROM:<s@a.example>\nS: 250 ok\nC: RCPT TO:<b@x>\nS: 250 ok\n"
	"C: DATA\nS: 354 go\nC: body\nC: .\nS: 250 ok\n" BYE,
	"D 250 2.0.0 ok\n-"},
    {"parameters that are offered but not needed", {{TO("b@x")}},
	HELLO
	"S: 250-mx\nS: 250-SIZE\nS: 250-8BITMIME\nS: 250-DSN\n"
	"S: 250 SMTPUTF8\n"
	"C: MAIL FROM:<s@a.example>\nS: 250 ok\nC: RCPT TO:<b@x>\nS: 250 ok\n"
	"C: DATA\nS: 354 go\nC: body\nC: .\nS: 250 ok\n" BYE,
	"D 250 2.0.0 ok\n-"},
    {"SIZE 0 is no limit", {{TO("b@x"), .size = 7}},
	HELLO "S: 250-mx\nS: 250 SIZE 0\n"
	      "C: MAIL FROM:<s@a.example> SIZE=7\nS: 552 5.3.4 big\n" BYE,
	"F 552 5.3.4 big\n-"},
    {"a message that the server cannot take, then one that it can",
	{{TO("b@x"), .size = 101}, {TO("b@x"), .body_8bit = true},
	    {TO("b@x"), .smtputf8 = true}},
	HELLO "S: 250-mx\nS: 250 SIZE 100\n" BYE,
	"F 0 5.3.4 message too big for the next hop\n"
	"F 0 5.6.3 next hop does not offer 8BITMIME\n"
	"F 0 5.6.7 next hop does not offer SMTPUTF8\n-"},
    {"what cannot be named is not sent",
	{{TO("a\r\nDATA@x", "b@x", "c\x7f@x"), .orcpt = "rfc822;a b",
	     .envid = "a\rb"},
	    {TO("b@x"), .sender = "s\n@x"}},
	HELLO "S: 250-mx\nS: 250-DSN\nS: 250 PIPELINING\n"
	      "C: MAIL FROM:<s@a.example>\nC: RCPT TO:<b@x>\nC: DATA\n"
	      "S: 250 ok\nS: 250 ok\nS: 354 go\nC: body\nC: .\nS: 250 ok\n" BYE,
	"F 0 5.1.3 recipient address cannot be sent\nD 250 2.0.0 ok\n"
	"F 0 5.1.3 recipient address cannot be sent\n"
	"F 0 5.1.7 sender address cannot be sent\n-"},

    /* Refusals. */
    {"one of two is refused", {{TO("b@x", "c@x")}},
	HELLO_PIPE ENVELOPE_PIPE
	"S: 250 ok\nS: 550 5.1.1 who?\nS: 250 ok\nS: 354 go\n"
	"C: body\nC: .\nS: 250 ok\n" BYE,
	"F 550 5.1.1 who?\nD 250 2.0.0 ok\n-"},
    {"one of two is refused, and the message for the other",
	{{TO("b@x", "c@x")}},
	HELLO_PIPE ENVELOPE_PIPE
	"S: 250 ok\nS: 250 ok\nS: 450 4.2.1 later\nS: 354 go\n"
	"C: body\nC: .\nS: 554 5.7.1 spam\n" BYE,
	"F 554 5.7.1 spam\nL 450 4.2.1 later\n-"},
    {"too many recipients", {{TO("b@x", "c@x", "d@x")}},
	HELLO_PLAIN "C: MAIL FROM:<s@a.example>\nS: 250 ok\n"
		    "C: RCPT TO:<b@x>\nS: 250 ok\n"
		    "C: RCPT TO:<c@x>\nS: 452 4.5.3 too many\n"
		    "C: RCPT TO:<d@x>\nS: 552 5.5.3 too many\n"
		    "C: DATA\nS: 354 go\nC: body\nC: .\nS: 250 ok\n" BYE,
	"D 250 2.0.0 ok\nL 452 4.5.3 too many\nL 552 4.5.3 too many\n-"},
    {"all are refused, DATA with them", {{TO("b@x", "c@x")}, {TO("d@x")}},
	HELLO_PIPE ENVELOPE_PIPE
	"S: 250 ok\nS: 550 5.1.1 b?\nS: 550 5.1.1 c?\nS: 554 none\n"
	"C: RSET\nC: MAIL FROM:<s@a.example>\nC: RCPT TO:<d@x>\nC: DATA\n"
	"S: 250 ok\nS: 250 ok\nS: 250 ok\nS: 354 go\n"
	"C: body\nC: .\nS: 250 ok\n" BYE,
	"F 550 5.1.1 b?\nF 550 5.1.1 c?\nD 250 2.0.0 ok\n-"},
    {"all are refused, but not DATA", {{TO("b@x", "c@x")}, {TO("d@x")}},
	HELLO_PIPE ENVELOPE_PIPE
	"S: 250 ok\nS: 550 5.1.1 b?\nS: 450 4.2.0 c?\nS: 354 go\n"
	"C: .\nS: 250 nobody got it\n"
	"C: MAIL FROM:<s@a.example>\nC: RCPT TO:<d@x>\nC: DATA\n"
	"S: 250 ok\nS: 250 ok\nS: 354 go\nC: body\nC: .\nS: 250 ok\n" BYE,
	"F 550 5.1.1 b?\nL 450 4.2.0 c?\nD 250 2.0.0 ok\n-"},
    {"all are refused, without PIPELINING", {{TO("b@x", "c@x")}, {TO("d@x")}},
	HELLO_PLAIN "C: MAIL FROM:<s@a.example>\nS: 250 ok\n"
		    "C: RCPT TO:<b@x>\nS: 550 no\nC: RCPT TO:<c@x>\nS: 450 no\n"
		    "C: RSET\nS: 250 ok\n"
		    "C: MAIL FROM:<s@a.example>\nS: 451 4.3.0 later\n" BYE,
	"F 550 5.0.0 no\nL 450 4.0.0 no\nL 451 4.3.0 later\n-"},
    {"MAIL is refused", {{TO("b@x", "c@x")}, {TO("d@x")}},
	HELLO_PIPE ENVELOPE_PIPE
	"S: 550 5.7.1 not you\nS: 503 no\nS: 503 no\nS: 503 no\n"
	"C: MAIL FROM:<s@a.example>\nC: RCPT TO:<d@x>\nC: DATA\n"
	"S: 451 4.7.1 slow\nS: 503 no\nS: 503 no\n" BYE,
	"F 550 5.7.1 not you\nF 550 5.7.1 not you\nL 451 4.7.1 slow\n-"},
    {"MAIL is refused, the rest is taken by a strange server",
	{{TO("b@x", "c@x")}},
	HELLO_PIPE ENVELOPE_PIPE
	"S: 550 5.7.1 not you\nS: 250 ok\nS: 250 ok\nS: 354 go\n"
	"C: .\nS: 250 ok\n" BYE,
	"F 550 5.7.1 not you\nF 550 5.7.1 not you\n-"},
    {"MAIL is refused, without PIPELINING", {{TO("b@x")}, {TO("d@x")}},
	HELLO_PLAIN "C: MAIL FROM:<s@a.example>\nS: 550 no\n"
		    "C: MAIL FROM:<s@a.example>\nS: 550 no again\n" BYE,
	"F 550 5.0.0 no\nF 550 5.0.0 no again\n-"},
    {"DATA is refused", {{TO("b@x", "c@x")}},
	HELLO_PIPE ENVELOPE_PIPE
	"S: 250 ok\nS: 550 b?\nS: 250 ok\nS: 451 4.3.0 disk full\n" BYE,
	"F 550 5.0.0 b?\nL 451 4.3.0 disk full\n-"},
    {"RSET is refused", {{TO("b@x")}, {TO("d@x")}},
	HELLO_PLAIN "C: MAIL FROM:<s@a.example>\nS: 250 ok\n"
		    "C: RCPT TO:<b@x>\nS: 550 no\nC: RSET\nS: 500 what?\n",
	"F 550 5.0.0 no\nO 0 4.5.0 RSET was refused\n"
	"O 0 4.5.0 RSET was refused"},

    /* The end of the session. */
    {"a greeting of 4xx", {{TO("b@x")}}, "S: 450 4.3.2 later\nC: QUIT\n",
	"O 450 4.3.2! later"},
    {"a greeting of 5xx", {{TO("b@x")}},
	"S: 554-5.7.1 go\nS: 554 5.7.1 away\nC: QUIT\n",
	"O 554 5.7.1! go away"},
    {"a greeting of 421", {{TO("b@x")}}, "S: 421 4.3.2 busy\n",
	"O 421 4.3.2! busy"},
    {"EHLO answered 4xx", {{TO("b@x")}}, HELLO "S: 451 4.3.0 hm\nC: QUIT\n",
	"O 451 4.3.0! hm"},
    {"EHLO answered 421", {{TO("b@x")}}, HELLO "S: 421 hm\n",
	"O 421 4.0.0! hm"},
    {"HELO answered 5xx", {{TO("b@x")}},
	HELLO "S: 500 what?\nC: HELO me.example\nS: 550 no\nC: QUIT\n",
	"O 550 5.0.0! no"},
    {"421 to the first MAIL", {{TO("b@x", "c@x")}},
	HELLO_PIPE ENVELOPE_PIPE "S: 421 4.7.0 slow down\n",
	"O 421 4.7.0! slow down\nO 421 4.7.0! slow down\n"
	"O 421 4.7.0! slow down"},
    {"421 to the second MAIL", {{TO("b@x")}, {TO("c@x")}},
	HELLO_PLAIN "C: MAIL FROM:<s@a.example>\nS: 550 no\n"
		    "C: MAIL FROM:<s@a.example>\nS: 421 enough\n",
	"F 550 5.0.0 no\nO 421 4.0.0 enough\nO 421 4.0.0 enough"},
    {"421 to RCPT", {{TO("b@x", "c@x", "d@x")}},
	HELLO_PLAIN "C: MAIL FROM:<s@a.example>\nS: 250 ok\n"
		    "C: RCPT TO:<b@x>\nS: 550 no\nC: RCPT TO:<c@x>\nS: 250 ok\n"
		    "C: RCPT TO:<d@x>\nS: 421 bye\n",
	"F 550 5.0.0 no\nO 421 4.0.0 bye\nO 421 4.0.0 bye\nO 421 4.0.0 bye"},
    {"421 to the dot", {{TO("b@x", "c@x")}},
	HELLO_PIPE ENVELOPE_PIPE "S: 250 ok\nS: 550 b?\nS: 250 ok\nS: 354 go\n"
				 "C: body\nC: .\nS: 421 4.3.0 bye\n",
	"F 550 5.0.0 b?\nL 421 4.3.0 bye\nL 421 4.3.0 bye"},
    {"421 while idle", {{TO("b@x")}}, HELLO_PIPE "S: 421 4.4.2 idle too long\n",
	"O 421 4.4.2 idle too long"},
    {"the connection breaks after the dot", {{TO("b@x")}},
	HELLO_PLAIN
	"C: MAIL FROM:<s@a.example>\nS: 250 ok\n"
	"C: RCPT TO:<b@x>\nS: 250 ok\nC: DATA\nS: 354 go\nC: body\nC: .\nX",
	"L 0 4.4.2 lost\nL 0 4.4.2 lost"},
    {"the connection breaks before the dot", {{TO("b@x", "c@x")}},
	HELLO_PIPE ENVELOPE_PIPE
	"S: 250 ok\nS: 550 b?\nS: 250 ok\nS: 354 go\nX",
	"F 550 5.0.0 b?\nO 0 4.4.2 lost\nO 0 4.4.2 lost"},
    {"QUIT is never answered", {{TO("b@x")}},
	HELLO_PLAIN "C: MAIL FROM:<s@a.example>\nS: 550 no\nC: QUIT\nX",
	"F 550 5.0.0 no\n-"},
    {"QUIT is answered by nonsense", {{TO("b@x")}},
	HELLO_PLAIN "C: MAIL FROM:<s@a.example>\nS: 550 no\nC: QUIT\nS: bye\n",
	"F 550 5.0.0 no\n-"},

    /* Nonsense. */
    {"a greeting that is none", {{TO("b@x")}}, "S: SSH-2.0-x\n",
	"O 0 4.5.0! malformed reply"},
    {"354 to EHLO", {{TO("b@x")}}, HELLO "S: 354 go\n",
	"O 0 4.5.0! unexpected reply to EHLO"},
    {"354 to the dot", {{TO("b@x")}},
	HELLO_PLAIN
	"C: MAIL FROM:<s@a.example>\nS: 250 ok\n"
	"C: RCPT TO:<b@x>\nS: 250 ok\nC: DATA\nS: 354 go\nC: body\nC: .\n"
	"S: 354 again\n",
	"L 0 4.5.0 unexpected reply\nL 0 4.5.0 unexpected reply"},
    {"a greeting of 354", {{TO("b@x")}}, "S: 354 go\n",
	"O 0 4.5.0! unexpected greeting"},
    {"replies that nobody asked for, before MAIL", {{TO("b@x")}},
	HELLO "S: 250 mx\nS: 250 ok\n", "O 0 4.5.0 reply without a command"},
    {"replies that nobody asked for, before the dot", {{TO("b@x")}},
	HELLO_PLAIN
	"C: MAIL FROM:<s@a.example>\nS: 250 ok\n"
	"C: RCPT TO:<b@x>\nS: 250 ok\nC: DATA\nS: 354 go\nS: 250 queued\n",
	"L 0 4.5.0 reply without a command\n"
	"L 0 4.5.0 reply without a command"},
    {"a refusal in the middle of the body", {{TO("b@x")}},
	HELLO_PLAIN "C: MAIL FROM:<s@a.example>\nS: 250 ok\n"
		    "C: RCPT TO:<b@x>\nS: 250 ok\nC: DATA\nS: 354 go\n"
		    "S: 552 5.3.4 too big\n",
	"F 552 5.3.4 too big\nF 552 5.3.4 too big"},
    {"one reply too many after a refused DATA", {{TO("b@x")}},
	HELLO_PLAIN
	"C: MAIL FROM:<s@a.example>\nS: 250 ok\n"
	"C: RCPT TO:<b@x>\nS: 250 ok\nC: DATA\nS: 451 no\nS: 250 queued\n",
	"L 451 4.0.0 no\nO 0 4.5.0 reply without a command"},
    {"nonsense to MAIL", {{TO("b@x")}},
	HELLO_PLAIN "C: MAIL FROM:<s@a.example>\nS: ok\n",
	"O 0 4.5.0! malformed reply\nO 0 4.5.0! malformed reply"},
    {"nonsense to RCPT", {{TO("b@x")}},
	HELLO_PLAIN "C: MAIL FROM:<s@a.example>\nS: 250 ok\n"
		    "C: RCPT TO:<b@x>\nS: 354 go\n",
	"O 0 4.5.0 unexpected reply\nO 0 4.5.0 unexpected reply"},
    {"250 to DATA", {{TO("b@x")}},
	HELLO_PLAIN "C: MAIL FROM:<s@a.example>\nS: 250 ok\n"
		    "C: RCPT TO:<b@x>\nS: 250 ok\nC: DATA\nS: 250 ok\n",
	"O 0 4.5.0 unexpected reply\nO 0 4.5.0 unexpected reply"},
    {"nonsense to the dot", {{TO("b@x")}},
	HELLO_PLAIN
	"C: MAIL FROM:<s@a.example>\nS: 250 ok\n"
	"C: RCPT TO:<b@x>\nS: 250 ok\nC: DATA\nS: 354 go\nC: body\nC: .\n"
	"S: thanks\n",
	"L 0 4.5.0 malformed reply\nL 0 4.5.0 malformed reply"},
};

/* A talk as it is played. */
struct play {
	const struct talk *talk;
	const char *script; /* what is still to be said */
	size_t step;	    /* bytes that the server says at a time */
	size_t budget;	    /* ... and in all, before the connection breaks */
	struct smtp_client client;
	uint8_t in_room[4096], out_room[4096], said_room[8192];
	struct slice in;
	struct buf out, said; /* written; said and not yet in the script */
	size_t line_at;	      /* in the server's line */
	struct smtp_client_transaction transactions[MESSAGES_MAX];
	struct smtp_client_rcpt rcpts[MESSAGES_MAX][RCPTS_MAX];
	unsigned sent_count, result_count;
};

static const struct outcome lost = {.kind = OUTCOME_OTHER_HOST,
    .status = {4, 4, 2},
    .text_len = 4,
    .text = "lost"};

static struct slice slice_of_maybe(const char *text)
{
	return slice_of_str(text == NULL ? "" : text);
}

static bool next_message(struct play *p)
{
	if (p->sent_count == MESSAGES_MAX ||
	    p->talk->messages[p->sent_count].rcpts[0] == NULL)
		return false;

	const struct message *m = &p->talk->messages[p->sent_count];
	struct smtp_client_transaction *t = &p->transactions[p->sent_count];
	*t = (struct smtp_client_transaction){
	    .sender =
		slice_of_str(m->sender == NULL ? "s@a.example" : m->sender),
	    .size = m->size,
	    .body_8bit = m->body_8bit,
	    .smtputf8 = m->smtputf8,
	    .ret = m->ret,
	    .envid = slice_of_maybe(m->envid),
	    .rcpts = p->rcpts[p->sent_count]};
	for (; t->rcpt_count < RCPTS_MAX && m->rcpts[t->rcpt_count];
	     t->rcpt_count++)
		t->rcpts[t->rcpt_count] = (struct smtp_client_rcpt){
		    .address = slice_of_str(m->rcpts[t->rcpt_count]),
		    .orcpt = slice_of_maybe(m->orcpt),
		    .notify = m->notify,
		    .outcome = {.kind = OUTCOME_DELIVERED}};
	p->sent_count++;
	smtp_client_send(&p->client, t);
	return true;
}

/* What the client said must be the script's next lines. */
static void match(struct play *p)
{
	while (p->script[0] == 'C' && p->said.len > 0) {
		const char *end = strchr(p->script, '\n');
		size_t len = (size_t)(end - p->script) - 3;

		cr_assert(p->said.len >= len + 2 &&
			      memcmp(p->said.at, p->script + 3, len) == 0 &&
			      memcmp(p->said.at + len, "\r\n", 2) == 0,
		    "%s: said %.*s for %.*s", p->talk->name, (int)p->said.len,
		    p->said.at, (int)len, p->script + 3);
		buf_drop(&p->said, len + 2);
		p->script = end + 1;
	}
	cr_assert_eq(p->said.len, 0, "%s: said too much: %.*s", p->talk->name,
	    (int)p->said.len, p->said.at);
}

/* The server says the next `step` bytes; false when it is not its turn, or when
 * the connection breaks. */
static bool serve(struct play *p)
{
	size_t len = 0;

	while (p->script[0] == 'S' && len < p->step && p->budget > 0) {
		const char *end = strchr(p->script, '\n');
		size_t line_len = (size_t)(end - p->script) - 3;

		p->in_room[len++] =
		    p->line_at < line_len
			? (uint8_t)p->script[3 + p->line_at]
			: (uint8_t) "\r\n"[p->line_at - line_len];
		p->budget--;
		if (++p->line_at == line_len + 2) {
			p->line_at = 0;
			p->script = end + 1;
		}
	}
	p->in = slice_of(p->in_room, len);
	return len > 0;
}

static void expect_outcomes(
    const struct smtp_client_transaction *t, const char *name)
{
	for (uint32_t i = 0; i < t->rcpt_count; i++)
		cr_assert_neq(
		    t->rcpts[i].outcome.kind, OUTCOME_NONE, "%s", name);
}

static void break_off(struct play *p)
{
	smtp_client_fail(&p->client, lost);
	p->script = "";
	buf_clear(&p->said);
	p->in.len = 0;
}

/* One need of the machine met; false when the session is over. */
static bool play_on(struct play *p)
{
	enum smtp_client_need need =
	    smtp_client_next(&p->client, &p->in, &p->out);

	buf_put(&p->said, buf_slice(&p->out));
	buf_clear(&p->out);
	if (need != CLIENT_NEED_OUTPUT)
		match(p);
	switch (need) {
	case CLIENT_NEED_INPUT:
		cr_assert_eq(p->in.len, 0);
		smtp_client_waits_for(&p->client);
		if (!serve(p))
			break_off(p);
		return true;
	case CLIENT_NEED_OUTPUT: return true;
	case CLIENT_NEED_MESSAGE:
		cr_assert_null(p->client.transaction);
		if (p->script[0] == 'S') {
			if (!serve(p))
				break_off(p);
			return true;
		}
		if (!next_message(p))
			smtp_client_quit(&p->client);
		return true;
	case CLIENT_NEED_BODY:
		cr_assert_eq(
		    smtp_client_waits_for(&p->client), CLIENT_WAIT_BODY);
		if (strncmp(p->script, "C: body\n", 8) == 0) {
			p->script += 8;
			smtp_client_body_sent(
			    &p->client, true, (struct outcome){0});
		} else if (!serve(p)) {
			break_off(p);
		}
		return true;
	case CLIENT_NEED_RESULT:
		cr_assert_eq(
		    p->client.transaction, &p->transactions[p->sent_count - 1]);
		expect_outcomes(p->client.transaction, p->talk->name);
		cr_assert_eq(++p->result_count, p->sent_count);
		/* It is the driver's now: the machine must not look at it. */
		p->client.transaction->rcpts = NULL;
		return true;
	case CLIENT_NEED_CLOSE: return false;
	case CLIENT_NEED_TLS: cr_assert_fail("nobody wanted TLS");
	}
	return false;
}

static void play(struct play *p, const struct talk *talk, size_t step,
    size_t out_room, size_t budget)
{
	*p = (struct play){.talk = talk,
	    .script = talk->script,
	    .step = step,
	    .budget = budget};
	p->out = buf_over(p->out_room, out_room);
	p->said = buf_over(p->said_room, sizeof(p->said_room));
	smtp_client_init(&p->client, SLICE("me.example"));
	while (play_on(p))
		;
	cr_assert_eq(p->result_count, p->sent_count, "%s", talk->name);
	cr_assert_eq(
	    smtp_client_next(&p->client, &p->in, &p->out), CLIENT_NEED_CLOSE);
}

static void put_outcome(struct buf *b, const struct outcome *o)
{
	buf_printf(b, "%c %u %u.%u.%u%s %.*s\n", "?DLOF"[o->kind], o -> code,
	    o -> status[0], o -> status[1], o -> status[2],
	    o -> site ? "!" : "", o->text_len, o->text);
}

static void expect(struct play *p)
{
	uint8_t room[4096];
	struct buf b = buf_over(room, sizeof(room));

	for (unsigned i = 0; i < p->sent_count; i++)
		for (unsigned j = 0; j < p->transactions[i].rcpt_count; j++)
			put_outcome(&b, &p->rcpts[i][j].outcome);
	if (p->client.closed_by.kind == OUTCOME_NONE)
		buf_put_str(&b, "-\n");
	else
		put_outcome(&b, &p->client.closed_by);
	cr_assert(slice_eq(slice_of(b.at, b.len - 1),
		      slice_of_str(p->talk->outcomes)),
	    "%s, step %zu:\n%.*s", p->talk->name, p->step, (int)b.len, b.at);
	/* Of nonsense the first byte is enough. */
	cr_assert(strstr(p->script, "C: ") == NULL, "%s: not said: %s",
	    p->talk->name, p->script);
}

static struct play whole, part;

Test(smtp_client, talks_the_same_however_it_arrives)
{
	for (size_t i = 0; i < COUNT(talks); i++) {
		for (size_t step = 1; step < 60; step++) {
			play(&part, &talks[i], step, 4096, SIZE_MAX);
			expect(&part);
		}
		play(&whole, &talks[i], sizeof(whole.in_room),
		    SMTP_CLIENT_OUT_MIN, SIZE_MAX);
		expect(&whole);
	}
}

Test(smtp_client, gives_each_recipient_one_outcome_wherever_it_breaks)
{
	for (size_t i = 0; i < COUNT(talks); i++) {
		const struct talk *talk = &talks[i];

		play(&whole, talk, 4096, 4096, SIZE_MAX);
		for (size_t budget = 0; budget < strlen(talk->script);
		     budget++) {
			play(&part, talk, budget % 7 + 1, 4096, budget);
			for (unsigned m = 0; m < part.sent_count; m++)
				for (unsigned r = 0; r < RCPTS_MAX; r++)
					if (part.rcpts[m][r].outcome.kind ==
					    OUTCOME_DELIVERED)
						cr_assert_eq(whole.rcpts[m][r]
								 .outcome.kind,
						    OUTCOME_DELIVERED);
		}
	}
}
