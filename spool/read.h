/* read.h -- a message's bytes back again. */
#ifndef SPOOL_READ_H
#define SPOOL_READ_H

#include "spool/state.h"

MUST_USE int reads_open(struct spool *s);
void reads_close(struct spool *s);

#endif
