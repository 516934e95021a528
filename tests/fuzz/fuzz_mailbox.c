/* fuzz_mailbox.c -- any bytes as a From field: what is read is an address, and
 * reads the same again. */
#include <stdlib.h>

#include "core/base/buf.h"
#include "core/base/check.h"
#include "proto/address.h"
#include "proto/mailbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t room[65536], text_room[65536], again_room[65536];
	struct buf text = buf_over(text_room, sizeof(text_room));
	struct mailbox_list list, again;
	const char *why;

	if (size > sizeof(room) / 2)
		return 0;
	if (!mailbox_list_parse(slice_of(data, size), room, &list, &why)) {
		check(why != NULL);
		return 0;
	}
	check(list.count > 0 && list.count <= MAILBOX_MAX);
	for (unsigned i = 0; i < list.count; i++) {
		const struct mailbox *m = &list.at[i];
		struct address a;

		check(m->full.at >= room &&
		      m->full.at + m->full.len <= room + size);
		check(address_parse(m->full, true, &a));
		check(slice_eq(a.local, m->local) &&
		      slice_eq(a.domain, m->domain));
		if (i > 0)
			buf_put_byte(&text, ',');
		buf_put(&text, m->full);
	}
	check(mailbox_list_parse(buf_slice(&text), again_room, &again, &why));
	check(again.count == list.count);
	for (unsigned i = 0; i < list.count; i++)
		check(slice_eq(list.at[i].full, again.at[i].full));
	return 0;
}
