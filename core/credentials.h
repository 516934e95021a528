/* credentials.h -- what all workers have in common of certificates, tickets and
 * users, and when it has to be looked at again: the supervisor's part. */
#ifndef CORE_CREDENTIALS_H
#define CORE_CREDENTIALS_H

#include "core/base/log.h"
#include "core/config/config.h"
#include "core/settings.h"

struct credentials {
	struct settings_common common;
	struct tls_context *tls; /* what the workers show; NULL: no TLS */
	uint64_t looked_s;	 /* at what expires */
};

/* Before the first worker is forked, in the spool.  0, or an exit status: it
 * was logged why. */
int credentials_open(
    struct credentials *t, const struct config *c, struct log *log);

/* Also when they were never opened. */
void credentials_close(struct credentials *t);

/* Tries what the workers would have to show with another configuration, so that
 * they need not find out.  False: *why, and nothing changes. */
bool credentials_try(struct credentials *t, const struct config *c,
    struct log *log, char *why, size_t why_len);

/* Once in a while: says once a day what expires soon. */
void credentials_look(struct credentials *t, struct log *log);

#endif
