/* cpus.h -- how many CPUs this process may use. */
#ifndef CORE_CPUS_H
#define CORE_CPUS_H

/* The smaller of the affinity mask and the cgroup's CPU quota (rounded up); at
 * least 1. */
unsigned cpus_usable(void);

#endif
