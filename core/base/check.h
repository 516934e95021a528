/* check.h -- what a broken belief does, and the few macros of the house.
 *
 * check() is for our own mistakes and stays on in release builds: a peer, a
 * disk or a resolver must never be able to make one fail. */
#ifndef CORE_BASE_CHECK_H
#define CORE_BASE_CHECK_H

#include <stddef.h>

#define MUST_USE __attribute__((warn_unused_result))
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The structure whose `member` `ptr` points to. */
#define container_of(ptr, type, member)                                        \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* Aborts with file, line and the fact unless `fact` is true. */
#define check(fact)                                                            \
	((fact) ? (void)0 : check_failed(#fact, __FILE__, __LINE__))

__attribute__((noreturn)) void check_failed(
    const char *fact, const char *file, int line);

#endif
