/* send.h -- `smarthost send`: submits a message and shows the dialogue. */
#ifndef CORE_SEND_H
#define CORE_SEND_H

#include "core/config/config.h"

struct send_options {
	const char *to; /* "host:port"; NULL: the relay of the configuration */
	const char *from; /* NULL: one of the configuration's domains */
	const char *const *rcpts;
	unsigned rcpt_count;
	const char *tls; /* see submission_tls_parse; NULL: as it fits */
	const char *user;
	const char *password_file;
	const char *file; /* the message; "-": stdin; NULL: one of ours */
};

/* Returns an exit status: 0, 64 for wrong words, 66 for a file that cannot be
 * read, else as submission_run has it. */
int send_run(const struct send_options *options, const struct config *config);

#endif
