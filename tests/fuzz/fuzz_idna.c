/* Any bytes: what is accepted is ASCII where it was not, in labels of at most
 * 63 bytes. */
#include <stddef.h>
#include <stdint.h>

#include "core/base/check.h"
#include "proto/idna.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t room[255];
	struct buf out = buf_over(room, sizeof(room));
	size_t label_len = 0;

	if (!idna_put(&out, slice_of(data, len)))
		return 0;
	check(out.len > 0);
	for (size_t i = 0; i < out.len; i++) {
		check(out.at[i] < 0x80);
		label_len = out.at[i] == '.' ? 0 : label_len + 1;
		check(label_len <= 63);
	}
	return 0;
}
