/* passwd.c -- `smarthost passwd`: a password becomes a line of configuration.
 *
 * While the terminal shows nothing, the signals that would end the program are
 * read as events: the terminal is put back first, then the signal may do what
 * it does. */
#include "core/passwd.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <termios.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "proto/saslprep.h"
#include "proto/secret.h"

struct terminal {
	bool is_one;
	int signals_fd;
	struct termios before;
	sigset_t mask_before;
};

static bool terminal_open(struct terminal *t)
{
	struct termios quiet;
	sigset_t ending;

	*t = (struct terminal){.signals_fd = -1};
	if (tcgetattr(STDIN_FILENO, &t->before) < 0)
		return true; /* a pipe, a file */
	sigemptyset(&ending);
	sigaddset(&ending, SIGINT);
	sigaddset(&ending, SIGTERM);
	sigaddset(&ending, SIGQUIT);
	sigaddset(&ending, SIGHUP);
	sigaddset(&ending, SIGTSTP);
	if (sigprocmask(SIG_BLOCK, &ending, &t->mask_before) < 0)
		return false;
	t->signals_fd = signalfd(-1, &ending, SFD_CLOEXEC);
	if (t->signals_fd < 0)
		return false;
	quiet = t->before;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	quiet.c_lflag |= ECHONL;
	t->is_one = tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) == 0;
	return t->is_one;
}

static void terminal_close(struct terminal *t)
{
	if (t->is_one)
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &t->before);
	if (t->signals_fd < 0)
		return;
	/* The signal is still pending; this lets it happen. */
	sigprocmask(SIG_SETMASK, &t->mask_before, NULL);
	close(t->signals_fd);
}

/* A byte of standard input; -1: its end, or a signal. */
static int read_byte(const struct terminal *t)
{
	struct pollfd fds[] = {
	    {.fd = STDIN_FILENO, .events = POLLIN},
	    {.fd = t->signals_fd, .events = POLLIN},
	};
	uint8_t byte;

	while (poll(fds, COUNT(fds), -1) < 0)
		if (errno != EINTR)
			return -1;
	if (fds[1].revents != 0)
		return -1;
	return read(STDIN_FILENO, &byte, 1) == 1 ? byte : -1;
}

/* One line without its end; false: there is none, or it is too long. */
static bool read_line(const struct terminal *t, struct buf *line)
{
	int byte;

	while ((byte = read_byte(t)) >= 0 && byte != '\n')
		buf_put_byte(line, (uint8_t)byte);
	if (line->len > 0 && line->at[line->len - 1] == '\r')
		line->len--;
	return !line->overflowed &&
	       (byte == '\n' || (line->len > 0 && !t->is_one));
}

/* NULL, or what is wrong. */
static const char *read_password(const struct terminal *t, struct buf *line)
{
	uint8_t room[SECRET_PASSWORD_MAX + 1];
	struct buf again = buf_over(room, sizeof(room));
	const char *why = NULL;

	if (t->is_one)
		fputs("Password: ", stderr);
	if (!read_line(t, line))
		return line->overflowed ? "the password is too long"
					: "there is no password";
	if (!t->is_one)
		return NULL;
	fputs("Once more: ", stderr);
	if (!read_line(t, &again) ||
	    !slice_eq(buf_slice(line), buf_slice(&again)))
		why = "these are two different passwords";
	explicit_bzero(room, sizeof(room));
	return why;
}

/* What a client could not send, and what nobody would mean. */
static const char *judge(struct slice password)
{
	uint8_t room[SECRET_PASSWORD_MAX];
	struct buf prepared = buf_over(room, sizeof(room));
	const char *why = NULL;

	if (password.len == 0)
		why = "the password is empty";
	else if (password.len > SECRET_PASSWORD_MAX)
		why = "the password is longer than 1024 bytes";
	else if (!saslprep_put(&prepared, password))
		why = "the password has control characters, or is not UTF-8";
	explicit_bzero(room, sizeof(room));
	return why;
}

static const char *print(const char *user, struct slice password)
{
	uint8_t salt[SECRET_SALT_LEN], room[SECRET_SCRAM_LEN];
	struct buf text = buf_over(room, sizeof(room));

	if (getrandom(salt, sizeof(salt), 0) != (ssize_t)sizeof(salt))
		return "the system has no random bytes";
	secret_put_scram(password, salt, &text);
	check(!text.overflowed);
	if (user != NULL)
		printf("%s ", user);
	printf("%.*s\n", (int)text.len, text.at);
	return fflush(stdout) == 0 ? NULL : "it could not be written";
}

/* A name ends at the first blank of a line of users.d, '#' begins a comment. */
static bool user_good(const char *user)
{
	for (const char *c = user; *c != '\0'; c++)
		if ((uint8_t)*c <= ' ' || *c == 0x7f)
			return false;
	return user[0] != '\0' && user[0] != '#';
}

int passwd_run(const char *user)
{
	uint8_t room[SECRET_PASSWORD_MAX + 1];
	struct buf password = buf_over(room, sizeof(room));
	struct terminal terminal;
	const char *why = "the terminal cannot be made quiet";

	if (user != NULL && !user_good(user)) {
		fputs("a user's name has no blanks\n", stderr);
		return EX_USAGE;
	}
	if (terminal_open(&terminal))
		why = read_password(&terminal, &password);
	terminal_close(&terminal);
	if (why == NULL)
		why = judge(buf_slice(&password));
	if (why == NULL)
		why = print(user, buf_slice(&password));
	explicit_bzero(room, sizeof(room));
	if (why != NULL)
		fprintf(stderr, "%s\n", why);
	return why == NULL ? 0 : EX_DATAERR;
}
