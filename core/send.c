/* send.c -- `smarthost send`: submits a message and shows the dialogue.
 *
 * Without --to it asks the relay that the configuration describes, with what
 * that wants: so it is the first test of a new relay, and the last link of a
 * chain of questions when mail does not go out. */
#include "core/send.h"

#include <errno.h>
#include <fcntl.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "core/letter.h"
#include "core/outbound/relay_host.h"
#include "core/submission.h"
#include "proto/address.h"
#include "proto/header.h"

#define WAIT_S 60
#define PORT_SUBMISSIONS 465

struct sending {
	const struct send_options *options;
	const struct config *config;
	struct submission_server server;
	struct letter password;
	struct letter letter;
	char from[600];
	struct smtp_client_rcpt rcpts[SUBMISSION_RCPTS_MAX];
	struct smtp_client_transaction transaction;
};

static int usage(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	return EX_USAGE;
}

static bool is_loopback(const char *host)
{
	return strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
	       strncmp(host, "127.", 4) == 0;
}

static int read_server(struct sending *s)
{
	const struct send_options *o = s->options;
	struct submission_server *server = &s->server;
	struct relay_host there;

	if (o->to == NULL)
		return submission_server_here(server, s->config)
			   ? 0
			   : usage("--to", "the configuration has the relay "
					   "listen nowhere: say where it is");
	if (!relay_host_parse(slice_of_str(o->to), &there) ||
	    there.host.len >= sizeof(server->host))
		return usage(o->to, "not a host, or host:port");
	memcpy(server->host, there.host.at, there.host.len);
	server->port = there.port;
	server->clear_allowed = is_loopback(server->host);
	/* Who hands out a password wants to know to whom. */
	server->tls = there.port == PORT_SUBMISSIONS ? SUBMISSION_IMPLICIT
		      : o->user != NULL && !server->clear_allowed
			  ? SUBMISSION_VERIFY
			  : SUBMISSION_MAY;
	return 0;
}

static const struct config_user *find_user(
    const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->user_count; i++)
		if (strcmp(c->users[i].name, name) == 0)
			return &c->users[i];
	return NULL;
}

static int read_password(struct sending *s)
{
	const struct send_options *o = s->options;
	const struct config_user *known;
	int fd, err;

	if (o->user == NULL)
		return o->password_file == NULL
			   ? 0
			   : usage("--password-file", "whose? --user NAME");
	s->server.user = o->user;
	known = find_user(s->config, o->user);
	if (o->password_file == NULL) {
		if (known == NULL || o->to != NULL)
			return usage("--user", "give --password-file, too");
		s->server.password = slice_of_str(known->password);
		return 0;
	}
	fd = open(o->password_file, O_RDONLY | O_CLOEXEC);
	err = fd < 0 ? -errno : letter_read(&s->password, fd);
	if (fd >= 0)
		close(fd);
	if (err < 0) {
		fprintf(stderr, "%s: %s\n", o->password_file, strerror(-err));
		return EX_NOINPUT;
	}
	struct slice rest = letter_slice(&s->password);
	if (!letter_next_line(&rest, &s->server.password) ||
	    s->server.password.len == 0)
		return usage(o->password_file, "there is no password in it");
	return 0;
}

static int read_security(struct sending *s)
{
	const struct send_options *o = s->options;

	if (o->tls == NULL)
		return 0;
	if (!submission_tls_parse(o->tls, &s->server.tls))
		return usage(
		    o->tls, "not none, may, encrypt, verify or implicit");
	/* Who says "none" has heard of what it means. */
	s->server.clear_allowed |= s->server.tls == SUBMISSION_NONE;
	return 0;
}

static int read_envelope(struct sending *s)
{
	const struct send_options *o = s->options;
	const struct config *c = s->config;
	struct address a;

	if (o->from != NULL)
		snprintf(s->from, sizeof(s->from), "%s", o->from);
	else
		snprintf(s->from, sizeof(s->from), "postmaster@%s",
		    c->domains.count > 0 ? c->domains.at[0] : c->hostname);
	if (s->from[0] != '\0' &&
	    !address_parse(slice_of_str(s->from), true, &a))
		return usage(s->from, "not an address");
	if (o->rcpt_count == 0)
		return usage("--rcpt", "who is to get it? --rcpt ADDRESS");
	for (unsigned i = 0; i < o->rcpt_count; i++) {
		s->rcpts[i].address = slice_of_str(o->rcpts[i]);
		if (!address_parse(s->rcpts[i].address, true, &a))
			return usage(o->rcpts[i], "not an address");
		s->transaction.smtputf8 |= !ascii_only(s->rcpts[i].address);
	}
	s->transaction.sender = slice_of_str(s->from);
	s->transaction.smtputf8 |= !ascii_only(s->transaction.sender);
	s->transaction.rcpts = s->rcpts;
	s->transaction.rcpt_count = o->rcpt_count;
	return 0;
}

static void put_field(struct letter *l, const char *name, struct slice value)
{
	letter_put(l, slice_of_str(name));
	letter_put(l, value);
	letter_put(l, SLICE("\r\n"));
}

static void write_letter(struct sending *s)
{
	struct letter *l = &s->letter;
	char text[120];
	struct buf date = buf_over(text, sizeof(text));

	date_put(&date, (uint64_t)time(NULL));
	if (s->from[0] != '\0')
		put_field(l, "From: ", s->transaction.sender);
	put_field(l, "To: ", s->rcpts[0].address);
	for (uint32_t i = 1; i < s->transaction.rcpt_count; i++)
		put_field(l, "Cc: ", s->rcpts[i].address);
	put_field(l, "Subject: ", SLICE("A test of smarthost"));
	put_field(l, "Date: ", buf_slice(&date));
	put_field(l, "", SLICE(""));
	put_field(l, "This message was made by \"smarthost send\" on ",
	    slice_of_str(s->config->hostname));
	put_field(l, "", SLICE("to see whether mail arrives.  It does."));
}

static int read_letter(struct sending *s)
{
	const char *name = s->options->file;
	struct letter text = {0};
	struct slice rest, line;
	int fd = STDIN_FILENO, err;

	if (name == NULL) {
		write_letter(s);
		return 0;
	}
	if (strcmp(name, "-") != 0)
		fd = open(name, O_RDONLY | O_CLOEXEC);
	err = fd < 0 ? -errno : letter_read(&text, fd);
	if (fd > STDIN_FILENO)
		close(fd);
	if (err < 0) {
		fprintf(stderr, "%s: %s\n", name, strerror(-err));
		letter_free(&text);
		return EX_NOINPUT;
	}
	rest = letter_slice(&text);
	while (letter_next_line(&rest, &line))
		letter_put_line(&s->letter, line);
	letter_free(&text);
	return s->letter.failed ? EX_OSERR : 0;
}

static int submit(struct sending *s)
{
	struct submission submission = {
	    .server = &s->server,
	    .helo = slice_of_str(s->config->hostname),
	    .transaction = &s->transaction,
	    .body = letter_slice(&s->letter),
	    .wait_s = WAIT_S,
	    .show = stdout,
	    .err = stderr,
	};
	const struct outcome *first = &s->rcpts[0].outcome;
	int status;

	s->transaction.size = s->letter.len;
	s->transaction.body_8bit = s->letter.has_8bit;
	status = submission_run(&submission);
	if (status == 0)
		printf("accepted: %.*s\n", (int)first->text_len, first->text);
	return status;
}

int send_run(const struct send_options *options, const struct config *config)
{
	struct sending s = {.options = options, .config = config};
	int (*const steps[])(struct sending * s) = {read_server, read_password,
	    read_security, read_envelope, read_letter, submit};
	int status = 0;

	for (size_t i = 0; i < COUNT(steps) && status == 0; i++)
		status = steps[i](&s);
	if (s.password.at != NULL)
		explicit_bzero(s.password.at, s.password.len);
	letter_free(&s.password);
	letter_free(&s.letter);
	return status;
}
