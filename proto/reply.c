/* reply.c -- an SMTP reply that we give: code, enhanced code, one text. */
#include "proto/reply.h"

/* RFC 5321, 4.2: textstring is HT and printable ASCII.  Whatever else came in
 * with a client's own words must not leave the line. */
static uint8_t harmless(uint8_t c)
{
	return c >= 0x20 && c < 0x7f ? c : '?';
}

bool reply_put(struct buf *out, struct reply reply)
{
	uint8_t room[REPLY_LINE_MAX];
	struct buf line = buf_over(room, sizeof(room) - 2);

	check(reply.code >= 200 && reply.code <= 599);
	buf_put_number(&line, reply.code);
	buf_put_byte(&line, ' ');
	if (reply.enhanced != NULL) {
		buf_put_str(&line, reply.enhanced);
		buf_put_byte(&line, ' ');
	}
	for (size_t i = 0; i < reply.text.len && buf_left(&line) > 0; i++)
		buf_put_byte(&line, harmless(reply.text.at[i]));
	line.room += 2;
	buf_put_str(&line, "\r\n");
	return buf_put(out, buf_slice(&line));
}
