/* command.c -- a command line: which verb, and whether it may stand here. */
#include "proto/command.h"

#include "core/base/check.h"

#define IN(phase) (1u << (phase))
#define IN_ANY ((1u << COMMAND_PHASES) - 1)

enum args { ARGS_ANY, ARGS_NONE, ARGS_SOME };

static const struct entry {
	const char *name;
	unsigned phases; /* set of IN(enum command_phase) */
	enum args args;
	const char *syntax; /* told when `args` is not met */
} entries[COMMAND_VERBS] = {
    [COMMAND_EHLO] = {"EHLO", IN_ANY, ARGS_SOME, "syntax: EHLO name"},
    [COMMAND_HELO] = {"HELO", IN_ANY, ARGS_SOME, "syntax: HELO name"},
    [COMMAND_MAIL] = {"MAIL", IN(PHASE_READY), ARGS_ANY, ""},
    [COMMAND_RCPT] = {"RCPT",
	IN(PHASE_MAIL) | IN(PHASE_REFUSED) | IN(PHASE_RCPT), ARGS_ANY, ""},
    [COMMAND_DATA] = {"DATA", IN(PHASE_RCPT), ARGS_NONE,
	"DATA takes no arguments"},
    [COMMAND_BDAT] = {"BDAT", IN(PHASE_RCPT) | IN(PHASE_CHUNKS), ARGS_ANY, ""},
    [COMMAND_RSET] = {"RSET", IN_ANY, ARGS_NONE, "RSET takes no arguments"},
    [COMMAND_NOOP] = {"NOOP", IN_ANY, ARGS_ANY, ""},
    [COMMAND_VRFY] = {"VRFY", IN_ANY, ARGS_SOME, "syntax: VRFY address"},
    [COMMAND_EXPN] = {"EXPN", IN_ANY, ARGS_ANY, ""},
    [COMMAND_HELP] = {"HELP", IN_ANY, ARGS_ANY, ""},
    [COMMAND_STARTTLS] = {"STARTTLS", IN(PHASE_READY), ARGS_NONE,
	"STARTTLS takes no arguments"},
    [COMMAND_AUTH] = {"AUTH", IN(PHASE_READY), ARGS_SOME,
	"syntax: AUTH mechanism [initial response]"},
    [COMMAND_QUIT] = {"QUIT", IN_ANY, ARGS_NONE, "QUIT takes no arguments"},
};

/* Why `verb` may not stand in `phase`; the table has said that it may not. */
static struct reply not_now(enum command_verb verb, enum command_phase phase)
{
	switch (phase) {
	case PHASE_HELLO:
		return reply_of(503, "5.5.1", "say EHLO or HELO first");
	case PHASE_READY: return reply_of(503, "5.5.1", "say MAIL first");
	case PHASE_CHUNKS:
		return reply_of(503, "5.5.1", "a BDAT message is open");
	case PHASE_MAIL:
	case PHASE_REFUSED:
	case PHASE_RCPT: break;
	}
	if (verb == COMMAND_STARTTLS || verb == COMMAND_AUTH)
		return reply_of(503, "5.5.1", "not inside of a transaction");
	if (verb == COMMAND_MAIL)
		return reply_of(503, "5.5.1", "a transaction is open already");
	if (phase == PHASE_REFUSED) /* RFC 5321, 3.3 */
		return reply_of(554, "5.5.1", "no valid recipients");
	return reply_of(503, "5.5.1", "say RCPT first");
}

/* A word that could be somebody's command, not rubbish. */
static bool is_word(struct slice word)
{
	for (size_t i = 0; i < word.len; i++) {
		uint8_t c = byte_lower(word.at[i]);

		if (c < 'a' || c > 'z')
			return false;
	}
	return word.len > 0;
}

bool command_read(struct slice line, enum command_phase phase,
    struct command *command, bool *verb_known, struct reply *reply)
{
	struct slice args = line;
	struct slice word = slice_cut_at(&args, ' ');
	unsigned verb = 0;

	*verb_known = false;
	if (slice_find(line, '\0') < line.len || !is_word(word)) {
		*reply = reply_of(500, "5.5.2", "that is no command");
		return false;
	}
	while (verb < COMMAND_VERBS &&
	       !slice_eq_nocase(word, slice_of_str(entries[verb].name)))
		verb++;
	if (verb == COMMAND_VERBS) {
		*reply = reply_of(500, "5.5.1", "command not known");
		return false;
	}
	const struct entry *entry = &entries[verb];
	*command = (struct command){
	    .verb = (enum command_verb)verb,
	    .args = slice_trim(args),
	};
	*verb_known = true;
	if (!(entry->phases & IN(phase))) {
		*reply = not_now(command->verb, phase);
		return false;
	}
	bool has_args = command->args.len > 0;
	if ((entry->args == ARGS_NONE && has_args) ||
	    (entry->args == ARGS_SOME && !has_args)) {
		*reply = reply_of(501, "5.5.4", entry->syntax);
		return false;
	}
	return true;
}

bool command_chunk(struct slice args, uint64_t *size, bool *last)
{
	struct slice digits = slice_cut_at(&args, ' ');
	struct slice word = slice_trim(args);

	*last = slice_eq_nocase(word, SLICE("LAST"));
	return slice_number(digits, size) && (*last || word.len == 0);
}
