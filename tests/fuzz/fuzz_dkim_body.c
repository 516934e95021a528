/* fuzz_dkim_body.c -- any bytes as a stored message: cuts change nothing. */
#include "dkim/body.h"

#include "core/base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void hash(
    struct slice in, size_t step, uint8_t hashes[DKIM_CANON_COUNT][32])
{
	struct dkim_body b;

	dkim_body_init(&b, 3);
	while (in.len > 0)
		dkim_body_feed(
		    &b, slice_cut(&in, step < in.len ? step : in.len));
	dkim_body_finish(&b, DKIM_SIMPLE, hashes[DKIM_SIMPLE]);
	dkim_body_finish(&b, DKIM_RELAXED, hashes[DKIM_RELAXED]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t whole[DKIM_CANON_COUNT][32], cut[DKIM_CANON_COUNT][32];

	if (size < 1)
		return 0;
	/* A bare CR or LF never gets here (proto/dot.c). */
	for (size_t i = 1; i < size; i++)
		if ((data[i] == '\n') != (i > 1 && data[i - 1] == '\r'))
			return 0;
	hash(slice_of(data + 1, size - 1), size, whole);
	hash(slice_of(data + 1, size - 1), 1 + data[0] % 150, cut);
	check(memcmp(whole, cut, sizeof(whole)) == 0);
	return 0;
}
