/* letter.h -- a message that a command-line tool submits, in memory.
 *
 * It grows as the kernel gives it room, so that the size is the server's to
 * judge. */
#ifndef CORE_LETTER_H
#define CORE_LETTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/check.h"
#include "core/base/slice.h"

struct letter {
	uint8_t *at;
	size_t len;
	size_t room;
	bool has_8bit; /* letter_put_line saw a byte over 127 */
	bool failed;   /* there was no memory for all of it */
};

/* An empty one is {0}. */
void letter_free(struct letter *l);

static inline struct slice letter_slice(const struct letter *l)
{
	return slice_of(l->at, l->len);
}

void letter_put(struct letter *l, struct slice bytes);

/* All of a file; 0 or -errno. */
MUST_USE int letter_read(struct letter *l, int fd);

/* The next line of a text, without its LF or CR LF; false behind the last. */
bool letter_next_line(struct slice *rest, struct slice *line);

/* As SMTP wants it: a dot doubled at the line's front, CR LF at its end. */
void letter_put_line(struct letter *l, struct slice line);

#endif
