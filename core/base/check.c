/* check.c -- a belief was broken: say which, and stop.
 *
 * Nothing is tidied up: the spool is made to survive it, and a process that is
 * wrong about itself must not touch the disk again. */
#include "core/base/check.h"

#include <stdio.h>
#include <stdlib.h>

void check_failed(const char *fact, const char *file, int line)
{
	fprintf(stderr, "smarthost: bug at %s:%d: not true: %s\n", file, line,
	    fact);
	abort();
}
