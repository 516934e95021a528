/* complaint.h -- what is wrong with a configuration, and where.
 *
 * All complaints are written, none stops the reading: whoever mends a
 * configuration wants to see everything at once. */
#ifndef CORE_CONFIG_COMPLAINT_H
#define CORE_CONFIG_COMPLAINT_H

#include <stdio.h>

#include "core/base/slice.h"

/* Where a value was written: a file and line, or "SH_HOSTNAME", "--set ...",
 * "default", whose line is 0.  The text is in the configuration's memory. */
struct origin {
	const char *source;
	unsigned line;
};

struct complaints {
	FILE *out;
	unsigned count;
};

/* Writes "source:line: message" and a newline. */
__attribute__((format(printf, 3, 4))) void complain(
    struct complaints *c, struct origin where, const char *format, ...);

/* What does not keep a configuration from being used: "warning: ...". */
__attribute__((format(printf, 3, 4))) void complain_softly(
    struct complaints *c, struct origin where, const char *format, ...);

/* A value from outside as it may be shown: control bytes as \xNN, cut when it
 * is long. */
#define SHOWN_MAX 80
struct shown {
	char at[SHOWN_MAX + 8];
};
struct shown shown(struct slice s);

#endif
