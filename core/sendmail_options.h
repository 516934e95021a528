/* sendmail_options.h -- the words behind sendmail, as its callers write them.
 */
#ifndef CORE_SENDMAIL_OPTIONS_H
#define CORE_SENDMAIL_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/params.h"

struct sendmail_options {
	bool from_headers;  /* -t: recipients stand in To, Cc and Bcc */
	bool dots_pass;	    /* -i: a line with a dot alone ends nothing */
	bool verbose;	    /* -v */
	const char *sender; /* -f; NULL: who calls; "": nobody */
	const char *name;   /* -F, or NULL */
	const char *envid;  /* -V, or NULL */
	uint8_t notify;	    /* -N: set of enum dsn_notify; 0: absent */
	enum dsn_ret ret;   /* -R */
	char **rcpts;	    /* the words that are no options */
	int rcpt_count;
};

/* `argv` without the program's name; written over.  0, or an exit status: what
 * is wrong was said on stderr. */
int sendmail_options_read(struct sendmail_options *o, int argc, char **argv);

#endif
