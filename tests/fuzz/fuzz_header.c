/* fuzz_header.c -- any bytes as a stored message: cuts change nothing. */
#include "proto/header.h"

#include "core/base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	struct slice in = slice_of(data + 1, size - 1);
	struct slice rest = in;
	size_t step = 1 + data[0] % 20;
	struct header whole, cut;

	header_init(&whole);
	header_init(&cut);
	header_feed(&whole, in);
	while (rest.len > 0)
		header_feed(
		    &cut, slice_cut(&rest, step < rest.len ? step : rest.len));
	check(whole.ended == cut.ended);
	header_end(&whole);
	header_end(&cut);
	check(whole.len == cut.len);
	check(whole.len <= in.len);
	check(whole.received_count == cut.received_count);
	check(whole.has_date == cut.has_date);
	check(whole.has_from == cut.has_from);
	check(whole.has_to_or_cc == cut.has_to_or_cc);
	check(whole.has_message_id == cut.has_message_id);
	check(whole.has_8bit == cut.has_8bit);
	check(whole.needs_separator == cut.needs_separator);
	if (whole.needs_separator)
		check(whole.len == 0);
	return 0;
}
