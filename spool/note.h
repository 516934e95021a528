/* note.h -- what attempts brought, in the log. */
#ifndef SPOOL_NOTE_H
#define SPOOL_NOTE_H

#include "spool/state.h"

/* The head of the NOTE, without checksums. */
struct record note_record(const struct message *m, const struct note *note);
/* Writes the whole NOTE to `at`. */
void note_put(uint8_t *at, const struct message *m, const struct note *note,
    uint8_t flags);
/* Does to the message what the NOTE says; one that makes no sense for it is
 * obeyed as far as it does. */
void note_apply(struct message *m, const struct record *r);

/* The outcome of this message did not get into the log: tried again later. */
void backlog_add(struct spool *s, uint64_t id);
void backlog_run(struct spool *s);

#endif
