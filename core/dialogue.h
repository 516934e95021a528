/* dialogue.h -- what client and server say, shown as it is said: "> " and "< ",
 * with what is secret as "***". */
#ifndef CORE_DIALOGUE_H
#define CORE_DIALOGUE_H

#include <stdbool.h>
#include <stdio.h>

#include "core/base/slice.h"

struct dialogue {
	FILE *out; /* NULL: nothing is shown */
	/* private */
	bool challenged; /* the server's last line was a 334 */
	size_t line_len; /* of a server's line that is not yet at its end */
};

/* Whole lines. */
void dialogue_sent(struct dialogue *d, struct slice lines);
/* Cut anywhere. */
void dialogue_received(struct dialogue *d, struct slice piece);
/* Something that is no line of either: "- TLS 1.3 ...". */
__attribute__((format(printf, 2, 3))) void dialogue_note(
    struct dialogue *d, const char *format, ...);

#endif
