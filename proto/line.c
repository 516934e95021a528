/* line.c -- where a command line ends: at CR LF and at nothing else. */
#include "proto/line.h"

enum line_end line_find(struct slice in, bool after_cr, size_t *len)
{
	*len = 0;
	if (in.len == 0)
		return LINE_MORE;
	if (after_cr) {
		if (in.at[0] != '\n')
			return LINE_BARE;
		*len = 1;
		return LINE_CRLF;
	}
	size_t at = slice_find(in, '\n');
	struct slice before = slice_of(in.at, at);
	size_t cr = slice_find(before, '\r');

	if (cr + 1 < at) { /* a CR that is not followed by LF */
		*len = cr + 1;
		return LINE_BARE;
	}
	if (at == in.len) {
		*len = in.len;
		return LINE_MORE;
	}
	*len = at + 1;
	return cr < at ? LINE_CRLF : LINE_BARE;
}
