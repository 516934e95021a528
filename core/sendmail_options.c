/* sendmail_options.c -- the words behind sendmail, as its callers write them.
 *
 * Forty years of options.  Those that say something about the message are
 * obeyed; those that ask sendmail to be another program are refused; the rest
 * is about sendmail's own insides, and passed over. */
#include "core/sendmail_options.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "core/base/check.h"
#include "core/base/slice.h"

/* With a value, in the same word or the next; the others have theirs, if any,
 * in the same word. */
#define VALUED "fFrRNVBhOLXCA"

static int refuse(const char *what, const char *instead)
{
	fprintf(stderr, "sendmail: %s: %s\n", what, instead);
	return EX_USAGE;
}

static int read_notify(struct sendmail_options *o, const char *value)
{
	static const struct {
		const char *word;
		uint8_t flag;
	} words[] = {{"never", DSN_NOTIFY_NEVER},
	    {"success", DSN_NOTIFY_SUCCESS}, {"failure", DSN_NOTIFY_FAILURE},
	    {"delay", DSN_NOTIFY_DELAY}};
	struct slice rest = slice_of_str(value);

	o->notify = 0;
	while (rest.len > 0) {
		struct slice word = slice_trim(slice_cut_at(&rest, ','));
		uint8_t flag = 0;

		for (size_t i = 0; i < COUNT(words); i++)
			if (slice_eq_nocase(word, slice_of_str(words[i].word)))
				flag = words[i].flag;
		if (flag == 0)
			return refuse(value, "-N takes never, or some of "
					     "success,failure,delay");
		o->notify |= flag;
	}
	/* RFC 3461, 4.1: NEVER stands alone. */
	if ((o->notify & DSN_NOTIFY_NEVER) != 0)
		o->notify = DSN_NOTIFY_NEVER;
	return 0;
}

static int read_ret(struct sendmail_options *o, const char *value)
{
	if (strcasecmp(value, "full") == 0)
		o->ret = DSN_RET_FULL;
	else if (strcasecmp(value, "hdrs") == 0)
		o->ret = DSN_RET_HDRS;
	else
		return refuse(value, "-R takes full or hdrs");
	return 0;
}

static int take_value(
    struct sendmail_options *o, char option, const char *value)
{
	if (option == 'f' || option == 'r')
		o->sender = strcmp(value, "<>") == 0 ? "" : value;
	else if (option == 'F')
		o->name = value;
	else if (option == 'V')
		o->envid = value;
	else if (option == 'N')
		return read_notify(o, value);
	else if (option == 'R')
		return read_ret(o, value);
	return 0;
}

/* What -b asks for. */
static int read_mode(const char *mode)
{
	if (mode[0] == 'm' && mode[1] == '\0')
		return 0;
	if (mode[0] == 'p')
		return refuse("-bp", "the queue: smarthost queue list");
	if (mode[0] == 's')
		return refuse("-bs", "SMTP: connect to the relay's port");
	if (mode[0] == 'd' || mode[0] == 'D')
		return refuse("-bd", "the relay: smarthost run");
	return refuse("-b", "only mail is taken (-bm)");
}

/* `rest`: what stands behind the option's letter in its word. */
static int take_plain(struct sendmail_options *o, char option, const char *rest)
{
	switch (option) {
	case 't': o->from_headers = true; break;
	case 'i': o->dots_pass = true; break;
	case 'v': o->verbose = true; break;
	case 'b': return read_mode(rest);
	case 'q': return refuse("-q", "smarthost queue retry");
	case 'I': return refuse("-I", "there are no aliases here");
	case 'o':
		o->dots_pass |= strcmp(rest, "i") == 0;
		o->verbose |= strcmp(rest, "v") == 0;
		break;
	case 'G':
	case 'U':
	case 'd':
	case 'e':
	case 'm':
	case 'n':
	case 'p':
	case 's':
	case 'x': break;
	default:
		fprintf(stderr, "sendmail: unknown option -%c\n", option);
		return EX_USAGE;
	}
	return 0;
}

/* A word that begins with a dash; letters without values may be joined. */
static int read_word(struct sendmail_options *o, int argc, char **argv, int *i)
{
	const char *at = argv[*i] + 1;
	int status = 0;

	for (; *at != '\0' && status == 0; at++) {
		if (strchr(VALUED, *at) != NULL) {
			const char *value = at + 1;

			if (*value == '\0' && *i + 1 == argc) {
				fprintf(stderr, "sendmail: -%c needs a value\n",
				    *at);
				return EX_USAGE;
			}
			if (*value == '\0')
				value = argv[++*i];
			return take_value(o, *at, value);
		}
		status = take_plain(o, *at, at + 1);
		if (strchr("tivmnGUsx", *at) == NULL)
			return status; /* the rest was its value */
	}
	return status;
}

int sendmail_options_read(struct sendmail_options *o, int argc, char **argv)
{
	bool over = false;
	int status = 0;

	*o = (struct sendmail_options){.rcpts = argv};
	for (int i = 0; i < argc && status == 0; i++) {
		if (!over && strcmp(argv[i], "--") == 0)
			over = true;
		else if (!over && argv[i][0] == '-' && argv[i][1] != '\0')
			status = read_word(o, argc, argv, &i);
		else
			o->rcpts[o->rcpt_count++] = argv[i];
	}
	return status;
}
