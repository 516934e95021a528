/* nearest.h -- how a mistyped name finds its own: "did you mean". */
#ifndef CORE_CONFIG_NEAREST_H
#define CORE_CONFIG_NEAREST_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/slice.h"

#define NEAREST_LEN_MAX 64

/* The number of letters to add, drop, change or swap, in any case, that turns
 * one into the other; NEAREST_LEN_MAX when one is longer than that. */
unsigned nearest_distance(struct slice a, struct slice b);

/* Whether so many mistakes may have been made in writing the name. */
bool nearest_enough(unsigned mistakes, struct slice name);

/* The name most like the one given, or NULL. */
const char *nearest_of(
    struct slice name, const char *const *names, size_t count);

#endif
