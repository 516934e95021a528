/* spare.h -- segments written before they are needed. */
#ifndef SPOOL_SPARE_H
#define SPOOL_SPARE_H

#include "spool/state.h"

/* Begins to make one when there are too few and there is traffic. */
void spares_run(struct spool *s);

#endif
