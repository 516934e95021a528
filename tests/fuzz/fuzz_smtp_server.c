/* fuzz_smtp_server.c -- any bytes as a client: the replies are the same however
 * the bytes are cut, each is a good line, and every message that was begun is
 * committed or given up once.
 *
 * Byte 0: the step, and (bits 5 to 7) which locks there are; byte 1: which of
 * the driver's answers are no. */
#include "proto/smtp_server.h"

#include "core/base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct smtp_server_options base = {
    .hostname = {(const uint8_t *)"relay.example", 13},
    .size_max = 200,
    .rcpt_count_max = 5,
    .error_count_max = 10,
    .mechanisms = (1u << SASL_MECHANISM_COUNT) - 1,
    .starttls_offered = true,
};

struct run {
	struct smtp_server_options options;
	struct smtp_server s;
	struct pool pages;
	struct pool responses;
	struct buf got;
	uint8_t no; /* bits, taken in turn */
	unsigned question_count;
	bool receiving, closed;
	bool tls, authenticated; /* what the driver knows of it */
	uint64_t body_len;
};

static uint8_t rooms[2][1 << 20];

static void answer(struct run *r, enum smtp_server_need need)
{
	static const struct reply no = {
	    550, "5.7.1", {(const uint8_t *)"no", 2}};
	bool yes = !(r->no >> (r->question_count++ % 8) & 1);

	/* Behind the locks. */
	if (need != SMTP_NEED_TLS)
		check(r->tls || !r->options.tls_required);
	if (need == SMTP_NEED_MAIL)
		check(r->authenticated || !r->options.auth_required);
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
		check(
		    r->body_len - r->s.dot.stuffed_count <= base.size_max + 2);
		r->receiving = false;
	}
	if (yes)
		smtp_server_accept(&r->s, SLICE("ID"));
	else
		smtp_server_refuse(&r->s, no);
}

/* Good, wrong, or another round. */
static void answer_auth(struct run *r)
{
	static const struct reply no = {
	    535, "5.7.8", {(const uint8_t *)"wrong", 5}};

	check(!r->authenticated && smtp_server_in_auth(&r->s));
	check(r->tls || !r->options.auth_needs_tls);
	check(r->tls || !r->options.tls_required);
	check(r->s.mechanism != SASL_SCRAM_SHA_256_PLUS || r->tls);
	check(slice_find(r->s.piece, '\n') == r->s.piece.len);
	if (r->s.piece.len % 3 == 0) {
		smtp_server_challenge(&r->s, SLICE("YW5k"));
	} else if (r->no >> (r->question_count++ % 8) & 1) {
		smtp_server_refuse(&r->s, no);
	} else {
		smtp_server_accept(&r->s, SLICE(""));
		r->authenticated = true;
	}
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
		case SMTP_NEED_COMMIT:
		case SMTP_NEED_TLS: answer(r, need); break;
		case SMTP_NEED_HANDSHAKE:
			check(!r->tls && !r->receiving);
			r->tls = true;
			r->authenticated = false;
			smtp_server_tls_started(&r->s, true);
			break;
		case SMTP_NEED_AUTH:
		case SMTP_NEED_RESPONSE: answer_auth(r); break;
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

static void run(struct run *r, struct slice in, size_t step, uint8_t locks,
    uint8_t no, uint8_t *room)
{
	*r = (struct run){
	    .options = base,
	    .no = no,
	    .got = buf_over(room, sizeof(rooms[0])),
	};
	r->options.tls_required = locks & 1;
	r->options.auth_required = locks & 2;
	r->options.auth_needs_tls = locks & 4;
	check(pool_init(&r->pages, "pages", ARENA_PAGE_LEN, 300) == 0);
	check(pool_init(&r->responses, "responses", LINE_RESPONSE_MAX, 1) == 0);
	smtp_server_init(&r->s, &r->options, &r->pages, &r->responses);
	while (in.len > 0 && !r->closed)
		drive(r, slice_cut(&in, step < in.len ? step : in.len));
	smtp_server_end(&r->s, (struct reply){.code = 0});
	drive(r, SLICE(""));
	check(r->closed);
	check(!r->receiving);
	check(r->pages.count_used == 0);
	check(r->responses.count_used == 0);
	smtp_server_deinit(&r->s);
	pool_deinit(&r->pages);
	pool_deinit(&r->responses);
	judge_replies(buf_slice(&r->got));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run whole, cut;

	if (size < 2 || size > 16384)
		return 0;
	struct slice in = slice_of(data + 2, size - 2);
	run(&whole, in, size, data[0] >> 5, data[1], rooms[0]);
	run(&cut, in, 1 + data[0] % 32, data[0] >> 5, data[1], rooms[1]);
	check(slice_eq(buf_slice(&whole.got), buf_slice(&cut.got)));
	return 0;
}
