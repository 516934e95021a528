/* fuzz_smtp_server.c -- any bytes as a client: the replies are the same however
 * the bytes are cut, each is a good line, and every message that was begun is
 * committed or given up once.
 *
 * Byte 0: the step; byte 1: which of the driver's answers are no. */
#include "proto/smtp_server.h"

#include "core/base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct smtp_server_options options = {
    .hostname = {(const uint8_t *)"relay.example", 13},
    .size_max = 200,
    .rcpt_count_max = 5,
    .error_count_max = 10,
};

struct run {
	struct smtp_server s;
	struct pool pages;
	struct buf got;
	uint8_t no; /* bits, taken in turn */
	unsigned question_count;
	bool receiving, closed;
	uint64_t body_len;
};

static uint8_t rooms[2][1 << 20];

static void answer(struct run *r, enum smtp_server_need need)
{
	static const struct reply no = {
	    550, "5.7.1", {(const uint8_t *)"no", 2}};
	bool yes = !(r->no >> (r->question_count++ % 8) & 1);

	if (need == SMTP_NEED_DATA) {
		check(!r->receiving);
		check(r->s.envelope.rcpt_count > 0);
		r->receiving = yes;
		r->body_len = 0;
	}
	if (need == SMTP_NEED_COMMIT) {
		check(r->receiving);
		check(r->body_len == r->s.body_len);
		/* With the line end that a last chunk may need. */
		check(r->body_len - r->s.dot.stuffed_count <=
		      options.size_max + 2);
		r->receiving = false;
	}
	if (yes)
		smtp_server_accept(&r->s, SLICE("ID"));
	else
		smtp_server_refuse(&r->s, no);
}

static void drive(struct run *r, struct slice in)
{
	uint8_t room[SMTP_SERVER_OUT_MIN];
	struct buf out = buf_over(room, sizeof(room));

	while (!r->closed) {
		enum smtp_server_need need = smtp_server_next(&r->s, &in, &out);

		check(buf_put(&r->got, buf_slice(&out)));
		buf_clear(&out);
		switch (need) {
		case SMTP_NEED_INPUT: check(in.len == 0); return;
		case SMTP_NEED_OUTPUT: break;
		case SMTP_NEED_MAIL:
		case SMTP_NEED_RCPT:
		case SMTP_NEED_DATA:
		case SMTP_NEED_COMMIT: answer(r, need); break;
		case SMTP_NEED_BODY:
			check(r->receiving);
			check(r->s.piece.len > 0);
			r->body_len += r->s.piece.len;
			break;
		case SMTP_NEED_ABORT:
			check(r->receiving);
			r->receiving = false;
			break;
		case SMTP_NEED_CLOSE: r->closed = true; break;
		}
	}
}

static void judge_replies(struct slice got)
{
	while (got.len > 0) {
		struct slice line = slice_cut_at(&got, '\n');

		check(line.len >= 5 && line.len < 512);
		check(line.at[line.len - 1] == '\r');
		check(line.at[0] >= '2' && line.at[0] <= '5');
		check(line.at[3] == ' ' || line.at[3] == '-');
		for (size_t i = 0; i + 1 < line.len; i++)
			check(line.at[i] >= 0x20 && line.at[i] < 0x7f);
	}
}

static void run(
    struct run *r, struct slice in, size_t step, uint8_t no, uint8_t *room)
{
	*r = (struct run){.no = no, .got = buf_over(room, sizeof(rooms[0]))};
	check(pool_init(&r->pages, "pages", ARENA_PAGE_LEN, 300) == 0);
	smtp_server_init(&r->s, &options, &r->pages);
	while (in.len > 0 && !r->closed)
		drive(r, slice_cut(&in, step < in.len ? step : in.len));
	smtp_server_end(&r->s, (struct reply){.code = 0});
	drive(r, SLICE(""));
	check(r->closed);
	check(!r->receiving);
	check(r->pages.count_used == 0);
	smtp_server_deinit(&r->s);
	pool_deinit(&r->pages);
	judge_replies(buf_slice(&r->got));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run whole, cut;

	if (size < 2 || size > 8192)
		return 0;
	struct slice in = slice_of(data + 2, size - 2);
	run(&whole, in, size, data[1], rooms[0]);
	run(&cut, in, 1 + data[0] % 30, data[1], rooms[1]);
	check(slice_eq(buf_slice(&whole.got), buf_slice(&cut.got)));
	return 0;
}
