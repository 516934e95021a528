/* handover.h -- how a configuration that the supervisor has read comes to its
 * workers, who may not read it themselves.
 *
 * The files' contents lie in a sealed memfd, whose descriptor goes to each
 * worker through a socket of its own.  A worker that is behind reads only what
 * came last; one that is forked later has what the supervisor had. */
#ifndef CORE_HANDOVER_H
#define CORE_HANDOVER_H

#include "core/base/check.h"
#include "core/base/slice.h"

/* The two ends, the supervisor's and the worker's: close-on-exec, never
 * waiting.  0 or -errno. */
MUST_USE int handover_open(int *ours, int *theirs);

/* A descriptor that holds the bytes, which nobody can change any more; or
 * -errno. */
MUST_USE int handover_make(struct slice bytes);

/* 0, or -errno: -EAGAIN when the worker has not read for so long that there is
 * no room. */
MUST_USE int handover_send(int ours, int bundle);

/* The descriptor that came last, or -errno: -EAGAIN when none came, -EPIPE when
 * the supervisor is gone. */
MUST_USE int handover_receive(int theirs);

/* Its bytes, which no core dump has; at == NULL when they cannot be mapped. */
struct slice handover_map(int bundle);
void handover_unmap(struct slice bytes);

#endif
