/* arguments.h -- the words of the command line, taken apart.
 *
 * Options may stand anywhere behind the command, as "--name value" or
 * "--name=value"; "--" ends them. */
#ifndef CORE_ARGUMENTS_H
#define CORE_ARGUMENTS_H

#include <stdbool.h>

#include "core/config/config.h"

#define OPERANDS_MAX 4

/* Options that a command takes. */
enum argument_set {
	TAKES_CONFIG = 1, /* --config-dir, --set */
	TAKES_PRINT = 2,
	TAKES_SPOOL = 4,
	TAKES_JSON = 8,
	TAKES_DKIM = 16,   /* -d, -s, -t, -b, -o */
	TAKES_SEND = 32,   /* --to, --from, --rcpt, --tls, --user ... */
	TAKES_DOCTOR = 64, /* --probe, --address */
};

/* An option that may be given several times. */
#define REPEATED_MAX 100
struct repeated {
	const char *at[REPEATED_MAX];
	unsigned count;
};

struct arguments {
	struct config_arguments config; /* its sets lie in argv */
	const char *spool;		/* --spool, or NULL */
	const char *domain, *selector, *type, *bits, *file; /* or NULL */
	const char *to, *from, *tls, *user, *password_file, *message;
	struct repeated rcpts, probes, addresses;
	bool print;
	bool json;
	bool help; /* --help or -h was among them */
	const char *operands[OPERANDS_MAX];
	unsigned operand_count;
};

/* Reads the words behind the command; `takes` is of argument_set.  argv is
 * written over.  False: not understood, said on stderr. */
bool arguments_read(struct arguments *a, int argc, char **argv, unsigned takes);

#endif
