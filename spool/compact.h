/* compact.h -- giving space back. */
#ifndef SPOOL_COMPACT_H
#define SPOOL_COMPACT_H

#include "spool/state.h"

MUST_USE int compact_open(struct spool *s);
void compact_close(struct spool *s);

/* A message is gone: perhaps a segment can be given back. */
void compact_kick(struct spool *s);
/* Gives back what can be, and begins to move what stands in the way. */
void compact_run(struct spool *s);
/* Whether a message is being moved. */
bool compact_busy(const struct spool *s);

/* Something was done: look after memory and spares a little later. */
void tick_arm(struct spool *s);

#endif
