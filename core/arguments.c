/* arguments.c -- the words of the command line, taken apart. */
#include "core/arguments.h"

#include <stdio.h>
#include <unistd.h>

enum argument {
	CONFIG_DIR,
	SET,
	PRINT,
	SPOOL,
	JSON,
	DOMAIN,
	SELECTOR,
	TYPE,
	BITS,
	OUT_FILE,
	TO,
	FROM,
	RCPT,
	TLS,
	USER,
	PASSWORD_FILE,
	MESSAGE,
	PROBE,
	ADDRESS,
	HELP
};

static const struct {
	const char *name;
	enum argument argument;
	unsigned set; /* 0: everybody's */
	bool has_value;
} names[] = {
    {"--config-dir", CONFIG_DIR, TAKES_CONFIG, true},
    {"--set", SET, TAKES_CONFIG, true},
    {"--print", PRINT, TAKES_PRINT, false},
    {"--spool", SPOOL, TAKES_SPOOL, true},
    {"--json", JSON, TAKES_JSON, false},
    {"-d", DOMAIN, TAKES_DKIM, true},
    {"-s", SELECTOR, TAKES_DKIM, true},
    {"-t", TYPE, TAKES_DKIM, true},
    {"-b", BITS, TAKES_DKIM, true},
    {"-o", OUT_FILE, TAKES_DKIM, true},
    {"--to", TO, TAKES_SEND, true},
    {"--from", FROM, TAKES_SEND, true},
    {"--rcpt", RCPT, TAKES_SEND, true},
    {"--tls", TLS, TAKES_SEND, true},
    {"--user", USER, TAKES_SEND, true},
    {"--password-file", PASSWORD_FILE, TAKES_SEND, true},
    {"--file", MESSAGE, TAKES_SEND, true},
    {"--probe", PROBE, TAKES_DOCTOR, true},
    {"--address", ADDRESS, TAKES_DOCTOR, true},
    {"--help", HELP, 0, false},
    {"-h", HELP, 0, false},
};

static void add(struct repeated *words, const char *value)
{
	if (words->count < REPEATED_MAX)
		words->at[words->count] = value;
	words->count++; /* too many: arguments_read says so */
}

static void take(
    struct arguments *a, enum argument argument, char *value, char **argv)
{
	switch (argument) {
	case CONFIG_DIR: a->config.dir = value; break;
	/* As many words as this one lie behind us: there is room. */
	case SET: argv[a->config.set_count++] = value; break;
	case PRINT: a->print = true; break;
	case SPOOL: a->spool = value; break;
	case JSON: a->json = true; break;
	case DOMAIN: a->domain = value; break;
	case SELECTOR: a->selector = value; break;
	case TYPE: a->type = value; break;
	case BITS: a->bits = value; break;
	case OUT_FILE: a->file = value; break;
	case TO: a->to = value; break;
	case FROM: a->from = value; break;
	case RCPT: add(&a->rcpts, value); break;
	case TLS: a->tls = value; break;
	case USER: a->user = value; break;
	case PASSWORD_FILE: a->password_file = value; break;
	case MESSAGE: a->message = value; break;
	case PROBE: add(&a->probes, value); break;
	case ADDRESS: add(&a->addresses, value); break;
	case HELP: a->help = true; break;
	}
}

/* Reads the option at argv[*i], and its value. */
static bool take_option(
    struct arguments *a, int argc, char **argv, int *i, unsigned takes)
{
	struct slice value = slice_of_str(argv[*i]);
	bool joined = slice_find(value, '=') < value.len;
	struct slice name = slice_cut_at(&value, '=');
	char *text = joined ? argv[*i] + name.len + 1 : NULL;

	for (size_t n = 0; n < COUNT(names); n++) {
		if (!slice_eq(name, slice_of_str(names[n].name)))
			continue;
		if (names[n].set != 0 && !(names[n].set & takes))
			break;
		if (joined && !names[n].has_value) {
			fprintf(stderr, "%s takes no value\n", names[n].name);
			return false;
		}
		if (names[n].has_value && !joined) {
			if (*i + 1 == argc) {
				fprintf(stderr, "%s needs a value\n",
				    names[n].name);
				return false;
			}
			text = argv[++*i];
		}
		take(a, names[n].argument, text, argv);
		return true;
	}
	fprintf(stderr, "unknown option %.*s (see smarthost --help)\n",
	    (int)name.len, name.at);
	return false;
}

bool arguments_read(struct arguments *a, int argc, char **argv, unsigned takes)
{
	bool options_over = false;

	*a = (struct arguments){
	    .config.environment = (const char *const *)environ,
	    .config.sets = (const char *const *)argv,
	};
	for (int i = 0; i < argc; i++) {
		if (!options_over && strcmp(argv[i], "--") == 0) {
			options_over = true;
			continue;
		}
		if (!options_over && argv[i][0] == '-' && argv[i][1] != '\0') {
			if (!take_option(a, argc, argv, &i, takes))
				return false;
			continue;
		}
		if (a->operand_count == OPERANDS_MAX) {
			fprintf(stderr, "too many words\n");
			return false;
		}
		a->operands[a->operand_count++] = argv[i];
	}
	if (a->rcpts.count > REPEATED_MAX || a->probes.count > REPEATED_MAX ||
	    a->addresses.count > REPEATED_MAX) {
		fprintf(stderr, "an option is given more than %d times\n",
		    REPEATED_MAX);
		return false;
	}
	return true;
}
