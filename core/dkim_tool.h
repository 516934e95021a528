/* dkim_tool.h -- `smarthost dkim keygen` and `smarthost dkim check`. */
#ifndef CORE_DKIM_TOOL_H
#define CORE_DKIM_TOOL_H

#include "core/config/config.h"

struct dkim_keygen {
	const char *domain;
	const char *selector;
	const char *type; /* "rsa", "ed25519", or NULL: rsa */
	const char *bits; /* or NULL: 2048 */
	const char *file; /* or NULL: DOMAIN.SELECTOR.pem */
};

/* Writes the key (0600, never over another) and prints the DNS record as a zone
 * file has it.  Returns an exit status. */
int dkim_keygen_run(const struct dkim_keygen *k);

/* `word`: "good", "different", "revoked", "missing", "unusable" or "unknown";
 * `name`: the record's; `why` may be empty. */
typedef void dkim_said(
    void *arg, const char *word, const char *name, const char *why);

/* Compares every configured key with what DNS publishes, and calls said() for
 * each.  Returns as dkim_check_run. */
int dkim_check_each(const struct config *c, dkim_said *said, void *arg);

/* Compares every configured key with what DNS publishes.  0: all are the same;
 * 1: some are not; 75: the DNS did not answer. */
int dkim_check_run(const struct config *c);

#endif
