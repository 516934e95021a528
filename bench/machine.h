/* machine.h -- what the tools of the race ask of the machine: the time, their
 * own CPU time, descriptors, a signal that ends them. */
#ifndef BENCH_MACHINE_H
#define BENCH_MACHINE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "core/base/socket_address.h"

/* Nanoseconds of a clock that is the same for all processes here. */
static inline uint64_t machine_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* CPU time that this process has used so far, user and kernel. */
uint64_t machine_cpu_ns(void);

/* As many open files as the hard limit allows. */
void machine_raise_files(void);

/* A descriptor that becomes readable at SIGTERM or SIGINT, which from now on do
 * nothing else; or -errno. */
int machine_signals(void);

/* "127.0.0.1:25", "[::1]:25".  False: it is not an address and a port. */
bool machine_address(const char *text, union socket_address *address);

/* "10k", "5M", "300": bytes.  False: it is not a number. */
bool machine_size(const char *text, uint64_t *size);
bool machine_number(const char *text, uint64_t *number);

#endif
