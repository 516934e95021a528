/* opendkim.h -- OpenDKIM's two tables: which mail is signed, with which key. */
#ifndef CORE_CONFIG_OPENDKIM_H
#define CORE_CONFIG_OPENDKIM_H

#include "core/config/complaint.h"
#include "core/config/config.h"

struct opendkim_table {
	const char *name; /* the file's */
	struct slice text;
};

/* Adds the keys of the one and the rules of the other. */
void opendkim_read(struct config *c, struct complaints *complaints,
    const struct opendkim_table *keytable,
    const struct opendkim_table *signingtable);

#endif
