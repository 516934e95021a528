/* destination.h -- one next hop: its queue, its connections, its health.
 *
 * Read by everybody, written by the scheduler only. */
#ifndef CORE_OUTBOUND_DESTINATION_H
#define CORE_OUTBOUND_DESTINATION_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/list.h"
#include "core/base/slice.h"

#define DESTINATION_ERROR_MAX 200
#define DESTINATION_NAME_MAX 255

struct destination {
	uint8_t name_len;
	char name[DESTINATION_NAME_MAX + 1]; /* lower case, NUL-terminated */
	uint32_t slot;		    /* in the ledger */
	uint32_t ready_count;	    /* entries due now */
	uint32_t taken_count;	    /* entries being attempted */
	uint32_t waiting_count;	    /* entries that are put off */
	uint32_t connection_count;  /* ours: connecting, busy or idle */
	uint32_t idle_count;	    /* of these: idle */
	uint32_t fail_count;	    /* site failures in a row */
	uint64_t paused_until_s;    /* 0 = healthy */
	uint8_t error_len;
	char error[DESTINATION_ERROR_MAX]; /* the last site failure or deferral */
	/* private: the scheduler's lists and heaps follow */
};

struct entry {
	struct destination *destination;
	void *message;
	uint32_t received_s;
	uint32_t due_s;
	uint16_t attempt_count;
	/* private: links follow */
};

static inline struct slice destination_name(const struct destination *d)
{
	return slice_of(d->name, d->name_len);
}

#endif
