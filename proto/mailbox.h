/* mailbox.h -- the addresses in a From (or Sender) header field, read strictly
 * (RFC 5322, 3.4; RFC 6854 groups; RFC 6532 UTF-8): what cannot be read with
 * certainty is refused, for another reader might see another address there. */
#ifndef PROTO_MAILBOX_H
#define PROTO_MAILBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/slice.h"

#define MAILBOX_MAX 64

struct mailbox {
	struct slice full;   /* "local@domain", in the room that was
			      * given */
	struct slice local;  /* unquoted form is not made: as written */
	struct slice domain; /* without a final dot; as written */
};

struct mailbox_list {
	struct mailbox at[MAILBOX_MAX];
	unsigned count;
};

/* `value`: the field's body, folded lines and all, as sent (CR LF inside).
 * Comments and folding inside an address are taken out into `room` (at least
 * value.len bytes).  False: *why (static) says why it cannot be read. */
bool mailbox_list_parse(struct slice value, uint8_t *room,
    struct mailbox_list *list, const char **why);

#endif
