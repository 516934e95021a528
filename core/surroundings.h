/* surroundings.h -- what a process finds when it is started, made as the relay
 * needs it: limits raised, standard descriptors open, output appended to. */
#ifndef CORE_SURROUNDINGS_H
#define CORE_SURROUNDINGS_H

/* Standard descriptors, before anything else is opened. */
void surroundings_open(void);
/* For so many workers; with the rights of whom started us. */
void surroundings_raise_limits(unsigned worker_count);

#endif
