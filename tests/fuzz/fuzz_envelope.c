/* Any bytes as an envelope; what is read is written and read again. */
#include "core/base/check.h"
#include "spool/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static uint8_t room[1u << 20];
	struct buf out = buf_over(room, sizeof(room));
	struct envelope e;
	struct envelope again;
	struct envelope_rcpt r;
	struct slice rest;

	if (!envelope_get(slice_of(bytes, len), &e, &rest))
		return 0;
	check(envelope_put(&out, &e));
	while (envelope_get_rcpt(&rest, &r))
		check(envelope_put_rcpt(&out, &r));
	check(envelope_get(buf_slice(&out), &again, &rest));
	check(slice_eq(again.sender, e.sender));
	check(slice_eq(again.envid, e.envid));
	check(slice_eq(again.client, e.client));
	check(slice_eq(again.user, e.user));
	for (unsigned i = 0; i < ENVELOPE_HASH_COUNT; i++)
		check(slice_eq(again.body_hash[i], e.body_hash[i]));
	check(again.rcpt_count == e.rcpt_count);
	while (envelope_get_rcpt(&rest, &r))
		;
	check(rest.len == 0);
	return 0;
}
