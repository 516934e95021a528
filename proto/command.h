/* command.h -- a command line: which verb, and whether it may stand here.
 *
 * RFC 5321, 4.1.1 and 4.1.4.  What is allowed where is one table in command.c;
 * who obeys the commands (smtp_server.c) need not ask again. */
#ifndef PROTO_COMMAND_H
#define PROTO_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/slice.h"
#include "proto/reply.h"

enum command_verb {
	COMMAND_EHLO,
	COMMAND_HELO,
	COMMAND_MAIL,
	COMMAND_RCPT,
	COMMAND_DATA,
	COMMAND_BDAT,
	COMMAND_RSET,
	COMMAND_NOOP,
	COMMAND_VRFY,
	COMMAND_EXPN,
	COMMAND_HELP,
	COMMAND_STARTTLS,
	COMMAND_AUTH,
	COMMAND_QUIT,
};
#define COMMAND_VERBS (COMMAND_QUIT + 1)

/* How far a session has come, between two commands. */
enum command_phase {
	PHASE_HELLO,   /* neither EHLO nor HELO was given */
	PHASE_READY,   /* no transaction */
	PHASE_MAIL,    /* MAIL was accepted, no RCPT given yet */
	PHASE_REFUSED, /* MAIL was accepted, every RCPT so far was refused */
	PHASE_RCPT,    /* there is a recipient */
	PHASE_CHUNKS,  /* a BDAT chunk was taken, the last one is still due */
};
#define COMMAND_PHASES (PHASE_CHUNKS + 1)

struct command {
	enum command_verb verb;
	struct slice
	    args; /* without blanks at both ends; looks into the line */
};

/* `line` is without its CR LF.  False with *reply = why: no command at all,
 * unknown (500), not now (503, 554), arguments where none belong or none where
 * they must be (501).
 *
 * When false, command->verb is meant only if *verb_known: a BDAT that may not
 * stand here brings its octets all the same. */
bool command_read(struct slice line, enum command_phase phase,
    struct command *command, bool *verb_known, struct reply *reply);

/* RFC 3030, 2: "size [LAST]".  False when it is not that. */
bool command_chunk(struct slice args, uint64_t *size, bool *last);

#endif
