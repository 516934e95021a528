/* test_command.c -- verbs, and each of them in each phase. */
#include "proto/command.h"

#include <criterion/criterion.h>

#include "core/base/check.h"

static const struct {
	struct slice line;
	int verb; /* -1: the code is 500 */
	const char *args;
} lines[] = {
    {SLICE("EHLO x"), COMMAND_EHLO, "x"},
    {SLICE("ehlo   x  "), COMMAND_EHLO, "x"},
    {SLICE("HeLo x y"), COMMAND_HELO, "x y"},
    {SLICE("NOOP"), COMMAND_NOOP, ""},
    {SLICE("NOOP "), COMMAND_NOOP, ""},
    {SLICE("RSET \t"), COMMAND_RSET, ""},
    {SLICE("VRFY a"), COMMAND_VRFY, "a"},
    {SLICE("HELP me"), COMMAND_HELP, "me"},
    {SLICE("QUIT"), COMMAND_QUIT, ""},
    {SLICE(""), -1, "5.5.2"},
    {SLICE(" EHLO x"), -1, "5.5.2"},
    {SLICE("\x16\x03\x01"), -1, "5.5.2"},
    {SLICE("NOOP \0"), -1, "5.5.2"},
    {SLICE("NO\0OP"), -1, "5.5.2"},
    {SLICE("MAIL\tFROM:<a@b>"), -1, "5.5.2"},
    {SLICE("EHLOX y"), -1, "5.5.1"},
    {SLICE("EHL y"), -1, "5.5.1"},
    {SLICE("TURN"), -1, "5.5.1"},
};

Test(command, reads_a_line)
{
	for (size_t i = 0; i < COUNT(lines); i++) {
		struct command command;
		struct reply reply;
		bool known;
		bool good = command_read(
		    lines[i].line, PHASE_READY, &command, &known, &reply);

		cr_assert_eq(good, lines[i].verb >= 0, "case %zu", i);
		cr_assert_eq(known, good, "case %zu", i);
		if (good) {
			cr_assert_eq((int)command.verb, lines[i].verb);
			cr_assert(slice_eq(
			    command.args, slice_of_str(lines[i].args)));
		} else {
			cr_assert_eq(reply.code, 500);
			cr_assert_str_eq(
			    reply.enhanced, lines[i].args, "case %zu", i);
		}
	}
}

/* Rows: verbs; columns: phases as in enum command_phase. 0 = allowed. */
static const struct {
	const char *line;
	int codes[COMMAND_PHASES];
} table[COMMAND_VERBS] = {
    [COMMAND_EHLO] = {"EHLO x", {0, 0, 0, 0, 0, 0}},
    [COMMAND_HELO] = {"HELO x", {0, 0, 0, 0, 0, 0}},
    [COMMAND_MAIL] = {"MAIL FROM:<>", {503, 0, 503, 503, 503, 503}},
    [COMMAND_RCPT] = {"RCPT TO:<a@b>", {503, 503, 0, 0, 0, 503}},
    [COMMAND_DATA] = {"DATA", {503, 503, 503, 554, 0, 503}},
    [COMMAND_BDAT] = {"BDAT 1", {503, 503, 503, 554, 0, 0}},
    [COMMAND_RSET] = {"RSET", {0, 0, 0, 0, 0, 0}},
    [COMMAND_NOOP] = {"NOOP", {0, 0, 0, 0, 0, 0}},
    [COMMAND_VRFY] = {"VRFY x", {0, 0, 0, 0, 0, 0}},
    [COMMAND_EXPN] = {"EXPN x", {0, 0, 0, 0, 0, 0}},
    [COMMAND_HELP] = {"HELP", {0, 0, 0, 0, 0, 0}},
    [COMMAND_STARTTLS] = {"STARTTLS", {503, 0, 503, 503, 503, 503}},
    [COMMAND_AUTH] = {"AUTH PLAIN", {503, 0, 503, 503, 503, 503}},
    [COMMAND_QUIT] = {"QUIT", {0, 0, 0, 0, 0, 0}},
};

Test(command, is_allowed_where_the_table_says)
{
	for (unsigned verb = 0; verb < COMMAND_VERBS; verb++)
		for (unsigned phase = 0; phase < COMMAND_PHASES; phase++) {
			struct command command;
			struct reply reply = {.code = 0};
			bool known;
			bool good = command_read(slice_of_str(table[verb].line),
			    (enum command_phase)phase, &command, &known,
			    &reply);
			int want = table[verb].codes[phase];

			cr_assert_eq(good, want == 0, "%s in phase %u",
			    table[verb].line, phase);
			cr_assert_eq(reply.code, want, "%s in phase %u",
			    table[verb].line, phase);
			cr_assert(known);
			cr_assert_eq(command.verb, verb);
		}
}

Test(command, wants_its_arguments_or_none)
{
	static const struct {
		const char *line;
		enum command_phase phase;
	} bad[] = {
	    {"EHLO", PHASE_HELLO},
	    {"HELO ", PHASE_RCPT},
	    {"RSET x", PHASE_RCPT},
	    {"QUIT x", PHASE_RCPT},
	    {"VRFY", PHASE_RCPT},
	    {"DATA x", PHASE_RCPT},
	    {"STARTTLS x", PHASE_READY},
	    {"AUTH", PHASE_READY},
	};

	for (size_t i = 0; i < COUNT(bad); i++) {
		struct command command;
		struct reply reply;
		bool known;

		cr_assert_not(command_read(slice_of_str(bad[i].line),
		    bad[i].phase, &command, &known, &reply));
		cr_assert_eq(reply.code, 501, "%s", bad[i].line);
		cr_assert_str_eq(reply.enhanced, "5.5.4");
	}
}

static const struct {
	const char *args;
	bool good, last;
	uint64_t size;
} chunks[] = {
    {"0", true, false, 0},
    {"1000", true, false, 1000},
    {"86 LAST", true, true, 86},
    {"86  last", true, true, 86},
    {"18446744073709551615", true, false, UINT64_MAX},
    {"18446744073709551616", false, false, 0},
    {"", false, false, 0},
    {"LAST", false, false, 0},
    {"-1", false, false, 0},
    {"1x", false, false, 0},
    {"1 LASTX", false, false, 0},
    {"1 2", false, false, 0},
    {"1 LAST LAST", false, false, 0},
};

Test(command, reads_the_size_of_a_chunk)
{
	for (size_t i = 0; i < COUNT(chunks); i++) {
		uint64_t size;
		bool last;
		bool good =
		    command_chunk(slice_of_str(chunks[i].args), &size, &last);

		cr_assert_eq(good, chunks[i].good, "%s", chunks[i].args);
		if (!good)
			continue;
		cr_assert_eq(last, chunks[i].last);
		cr_assert_eq(size, chunks[i].size);
	}
}
