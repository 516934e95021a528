/* rescue.h -- what happens when a write fails. */
#ifndef SPOOL_RESCUE_H
#define SPOOL_RESCUE_H

#include "spool/state.h"

void rescue_open(struct spool *s);

/* A write to the segment failed; nothing is submitted until it is over. */
void rescue_begin(struct spool *s, struct segment *g, int error);
/* Goes on as soon as no write is under way; harmless when there is none. */
void rescue_run(struct spool *s);

/* The first block of a segment is on disk. */
void rescue_begun(struct spool *s);
/* Tries whether writes work again. */
void rescue_retry(struct spool *s);

#endif
