/* queue_list.h -- the rows of `smarthost queue list`, of all workers. */
#ifndef CORE_QUEUE_LIST_H
#define CORE_QUEUE_LIST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/base/check.h"
#include "core/base/slice.h"

struct queue_row;

struct queue_list {
	struct queue_row *rows;
	size_t count;
	size_t room;
};

/* Adds a row of core/ctl.h's form, copied.  False when it is none. */
MUST_USE bool queue_list_add(struct queue_list *list, struct slice line);

/* Oldest first: aligned columns with a header and totals, or a JSON object a
 * line.  No control byte gets through. */
void queue_list_print(
    struct queue_list *list, bool json, uint64_t now_s, FILE *out);

void queue_list_free(struct queue_list *list);

#endif
