/* postconf.h -- postfix.d: lines of arguments for postconf(1).
 *
 * All lines of a source are taken first, a later one wins, then `$name` is
 * resolved and what the values mean is set: as Postfix does, in which a value
 * may use one that is set further down. */
#ifndef CORE_CONFIG_POSTCONF_H
#define CORE_CONFIG_POSTCONF_H

#include "core/config/complaint.h"
#include "core/config/config.h"

/* Takes one line. */
void postconf_line(struct config *c, struct complaints *complaints,
    struct origin where, struct slice line);
/* Takes the lines of a file. */
void postconf_file(struct config *c, struct complaints *complaints,
    const char *name, struct slice text);

/* Sets what the lines taken since the last call mean. */
void postconf_apply(struct config *c, struct complaints *complaints);

/* When all sources were read: what smtpd_sender_login_maps says of users that
 * came from elsewhere. */
void postconf_finish(struct config *c, struct complaints *complaints);

/* A value that is there more than once has its last meaning. */
struct postconf_value {
	struct postconf_value *next;
	const char *name;
	struct slice text; /* before $name is resolved */
	struct origin where;
	bool fresh; /* to be applied */
};

/* Resolves $name in a text.  False: it was complained about. */
bool postconf_expand(struct config *c, struct complaints *complaints,
    const struct postconf_value *v, struct slice *text);

/* The value taken for a name, or NULL. */
const struct postconf_value *postconf_find(
    const struct config *c, const char *name);

#endif
