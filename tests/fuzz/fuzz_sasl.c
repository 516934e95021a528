/* fuzz_sasl.c -- any lines as responses and as challenges.
 *
 * The first byte is the mechanism and how the line is sent: as it is, or in
 * base64.  Who knows no password never gets in. */
#include <stdlib.h>

#include "core/base/base64.h"
#include "core/base/check.h"
#include "proto/sasl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	struct slice rest;
	bool encodes;
};

static struct slice next_line(struct input *in, struct buf *room)
{
	struct slice line = slice_cut_at(&in->rest, '\n');

	buf_clear(room);
	if (!in->encodes)
		return line;
	base64_encode(line, room);
	return buf_slice(room);
}

static void serve(enum sasl_mechanism m, unsigned flags, struct input in)
{
	static uint8_t room[SASL_LINE_MAX], line_room[SASL_LINE_MAX];
	struct buf line = buf_over(line_room, sizeof(line_room));
	struct sasl_server_options options = {
	    .hostname = SLICE("mail.example"),
	    .has_binding = flags & 1,
	    .plus_offered = flags & 1,
	};
	struct sasl_server s;
	enum sasl_need need;
	struct buf out = buf_over(room, sizeof(room));
	bool has_initial = flags & 2;

	sasl_server_init(&s, m, &options);
	need = sasl_server_start(&s, has_initial,
	    has_initial ? next_line(&in, &line) : slice_of(NULL, 0), &out);
	for (;;) {
		check(!out.overflowed);
		buf_clear(&out);
		check(need != SASL_GOOD);
		if (need == SASL_NEED_SECRET) {
			check(s.user_len > 0 && strlen(s.user) == s.user_len);
			sasl_server_secret(&s, NULL);
			need = sasl_server_next(&s, SLICE(""), &out);
		} else if (need == SASL_NEED_RESPONSE && in.rest.len > 0) {
			need =
			    sasl_server_next(&s, next_line(&in, &line), &out);
		} else {
			break;
		}
	}
	sasl_server_wipe(&s);
}

static void ask(enum sasl_mechanism m, struct input in)
{
	static uint8_t room[SASL_LINE_MAX], line_room[SASL_LINE_MAX];
	struct buf line = buf_over(line_room, sizeof(line_room));
	struct buf out = buf_over(room, sizeof(room));
	struct sasl_client_options options = {
	    .user = SLICE("t,i=m\""),
	    .password = SLICE("pencil"),
	    .hostname = SLICE("mail.example"),
	    .has_binding = true,
	};
	struct sasl_client s;
	bool has_initial;

	sasl_client_init(&s, m, &options, &has_initial, &out);
	check(!out.overflowed);
	while (in.rest.len > 0) {
		buf_clear(&out);
		if (!sasl_client_next(&s, next_line(&in, &line), &out))
			break;
	}
	if (m >= SASL_DIGEST_MD5)
		check(!sasl_client_is_satisfied(&s));
	sasl_client_wipe(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in;
	enum sasl_mechanism m;

	if (size < 2)
		return 0;
	m = (enum sasl_mechanism)(data[0] % SASL_MECHANISM_COUNT);
	in = (struct input){
	    .rest = slice_of(data + 2, size - 2), .encodes = data[1] & 4};
	serve(m, data[1], in);
	ask(m, in);
	return 0;
}
