/* sendmail.c -- the old command by which programs of this machine hand in mail.
 *
 * The message comes with LF at the ends of its lines and goes out with CR LF.
 * Bcc goes; what else a message needs (Date, Message-ID, From) the relay adds.
 * It is the relay that takes the mail or not: there is no queue here, and
 * without a relay the caller hears of it (75, try later).
 *
 * The configuration says where the relay listens.  A user who may not read it
 * finds the relay on loopback, port 587. */
#include "core/sendmail.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "core/letter.h"
#include "core/sendmail_options.h"
#include "core/sendmail_rcpts.h"
#include "core/submission.h"
#include "proto/address.h"

#define WAIT_S 60

struct sendmail {
	struct sendmail_options options;
	struct config *config; /* NULL: it cannot be read */
	struct submission_server server;
	char hostname[256];
	char sender[600];
	struct letter letter;
	struct sendmail_rcpts rcpts;
	struct smtp_client_transaction transaction;
};

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static bool is_called_sendmail(int argc, char **argv)
{
	return argc > 0 && strcmp(last_part(argv[0]), "sendmail") == 0;
}

bool sendmail_is_meant(int argc, char **argv)
{
	return is_called_sendmail(argc, argv) ||
	       (argc > 1 && strcmp(argv[1], "sendmail") == 0);
}

static int find_relay(struct sendmail *s)
{
	const struct config_arguments arguments = {
	    .environment = (const char *const *)environ,
	};
	FILE *nowhere = fopen("/dev/null", "we");

	if (nowhere == NULL)
		return EX_OSERR;
	s->config = config_load(&arguments, nowhere);
	fclose(nowhere);
	if (s->config != NULL)
		snprintf(s->hostname, sizeof(s->hostname), "%s",
		    s->config->hostname);
	else if (gethostname(s->hostname, sizeof(s->hostname) - 1) < 0)
		return EX_OSERR;
	if (submission_server_here(&s->server, s->config))
		return 0;
	fprintf(stderr, "sendmail: the relay listens nowhere\n");
	return EX_CONFIG;
}

static int find_sender(struct sendmail *s)
{
	const char *given = s->options.sender;
	const struct passwd *who = getpwuid(getuid());
	struct address a;

	if (given == NULL)
		given = who != NULL ? who->pw_name : "nobody";
	size_t len = strlen(given);
	if (len > 2 && given[0] == '<' && given[len - 1] == '>') {
		given++;
		len -= 2;
	}
	bool bare = len > 0 && memchr(given, '@', len) == NULL;
	if (len < sizeof(s->sender) - sizeof(s->hostname) - 1)
		snprintf(s->sender, sizeof(s->sender), "%.*s%s%s", (int)len,
		    given, bare ? "@" : "", bare ? s->hostname : "");
	if (len > 0 && !address_parse(slice_of_str(s->sender), true, &a)) {
		fprintf(stderr, "sendmail: -f %s: not an address\n", given);
		return EX_USAGE;
	}
	s->transaction.sender = slice_of_str(s->sender);
	return 0;
}

/* RFC 5322, 3.2.4: as a quoted string; RFC 6532 if it is not ASCII. */
static void put_from(struct sendmail *s)
{
	char field[1200];
	struct buf line = buf_over(field, sizeof(field));

	buf_put_str(&line, "From: \"");
	for (const char *at = s->options.name; *at != '\0'; at++) {
		if (*at == '"' || *at == '\\')
			buf_put_byte(&line, '\\');
		buf_put_byte(
		    &line, *at == '\n' || *at == '\r' ? ' ' : (uint8_t)*at);
	}
	buf_printf(&line, "\" <%s>", s->sender);
	if (!line.overflowed && s->sender[0] != '\0')
		letter_put_line(&s->letter, buf_slice(&line));
}

static bool is_field(struct slice line)
{
	size_t colon = slice_find(line, ':');

	for (size_t i = 0; i < colon; i++)
		if (line.at[i] <= ' ' || line.at[i] > '~')
			return false;
	return colon > 0 && colon < line.len;
}

/* With the lines that continue it; they follow each other in memory. */
static struct slice take_field(struct slice *rest)
{
	struct slice whole = *rest, line;
	struct slice next = *rest;

	while (letter_next_line(&next, &line)) {
		*rest = next;
		if (next.len == 0 || (next.at[0] != ' ' && next.at[0] != '\t'))
			break;
	}
	whole.len -= rest->len;
	return whole;
}

static void put_lines(struct letter *letter, struct slice lines)
{
	struct slice line;

	while (letter_next_line(&lines, &line))
		letter_put_line(letter, line);
}

static bool is_named(struct slice field, const char *name)
{
	return slice_eq_nocase(
	    slice_trim(slice_cut_at(&field, ':')), slice_of_str(name));
}

/* True when the field goes out with the message. */
static bool pass_field(struct sendmail *s, struct slice field)
{
	bool bcc = is_named(field, "Bcc");

	if (s->options.from_headers &&
	    (bcc || is_named(field, "To") || is_named(field, "Cc"))) {
		struct slice value = field;

		(void)slice_cut_at(&value, ':');
		sendmail_rcpts_add_list(&s->rcpts, value);
	}
	return !bcc;
}

static void copy_message(struct sendmail *s, struct slice text)
{
	struct slice peek = text, line;
	bool has_from = false;

	while (letter_next_line(&peek, &line) && is_field(line)) {
		struct slice field = take_field(&text);

		has_from |= is_named(field, "From");
		if (pass_field(s, field))
			put_lines(&s->letter, field);
		peek = text;
	}
	if (s->letter.len > 0 && !has_from && s->options.name != NULL)
		put_from(s);
	while (letter_next_line(&text, &line)) {
		if (!s->options.dots_pass && slice_eq(line, SLICE(".")))
			return;
		letter_put_line(&s->letter, line);
	}
}

static int read_message(struct sendmail *s)
{
	struct letter text = {0};
	int err = letter_read(&text, STDIN_FILENO);

	for (int i = 0; i < s->options.rcpt_count; i++)
		sendmail_rcpts_add_list(
		    &s->rcpts, slice_of_str(s->options.rcpts[i]));
	if (err == 0)
		copy_message(s, letter_slice(&text));
	letter_free(&text);
	if (err < 0 || s->letter.failed) {
		fprintf(stderr, "sendmail: the message cannot be read: %s\n",
		    strerror(err < 0 ? -err : ENOMEM));
		return EX_IOERR;
	}
	if (s->rcpts.wrong[0] != '\0') {
		fprintf(stderr, "sendmail: %s\n", s->rcpts.wrong);
		return EX_DATAERR;
	}
	if (s->rcpts.count == 0) {
		fprintf(stderr, "sendmail: no recipients%s\n",
		    s->options.from_headers ? " in To, Cc and Bcc" : "");
		return s->options.from_headers ? EX_DATAERR : EX_USAGE;
	}
	return 0;
}

static int submit(struct sendmail *s)
{
	struct smtp_client_transaction *t = &s->transaction;
	struct submission submission = {
	    .server = &s->server,
	    .helo = slice_of_str(s->hostname),
	    .transaction = t,
	    .body = letter_slice(&s->letter),
	    .wait_s = WAIT_S,
	    .show = s->options.verbose ? stdout : NULL,
	    .err = stderr,
	};

	t->rcpts = s->rcpts.at;
	t->rcpt_count = s->rcpts.count;
	t->size = s->letter.len;
	t->body_8bit = s->letter.has_8bit;
	t->ret = (uint8_t)s->options.ret;
	if (s->options.envid != NULL)
		t->envid = slice_of_str(s->options.envid);
	t->smtputf8 = !ascii_only(t->sender);
	for (uint32_t i = 0; i < t->rcpt_count; i++) {
		t->rcpts[i].notify = s->options.notify;
		t->smtputf8 |= !ascii_only(t->rcpts[i].address);
	}
	return submission_run(&submission);
}

static int run(struct sendmail *s, int argc, char **argv)
{
	int (*const steps[])(struct sendmail * s) = {
	    find_relay, find_sender, read_message, submit};
	int status = sendmail_options_read(&s->options, argc, argv);

	if (status == 0 && !sendmail_rcpts_init(&s->rcpts, s->hostname))
		status = EX_OSERR;
	for (size_t i = 0; i < COUNT(steps) && status == 0; i++)
		status = steps[i](s);
	return status;
}

int sendmail_run(int argc, char **argv)
{
	int words = is_called_sendmail(argc, argv) ? 1 : 2;
	struct sendmail s = {.config = NULL};
	int status = run(&s, argc - words, argv + words);

	sendmail_rcpts_deinit(&s.rcpts);
	letter_free(&s.letter);
	config_free(s.config);
	return status;
}
