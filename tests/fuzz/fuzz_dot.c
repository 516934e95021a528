/* fuzz_dot.c -- any bytes as DATA and as a chunk: cuts change nothing, and the
 * stored form is canonical. */
#include "core/base/buf.h"
#include "proto/dot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef enum dot_result reader(struct dot *, struct slice *, struct slice *);

static uint8_t rooms[5][3 * 4096];

/* Pieces of `step` bytes; returns whether the end was seen. */
static bool feed(
    reader *read, struct dot *d, struct slice in, size_t step, struct buf *out)
{
	while (in.len > 0) {
		struct slice part =
		    slice_cut(&in, in.len < step ? in.len : step);
		struct slice piece;
		enum dot_result result;

		while ((result = read(d, &part, &piece)) == DOT_PIECE) {
			check(piece.len > 0);
			check(buf_put(out, piece));
		}
		if (result == DOT_DONE)
			return true;
		check(part.len == 0);
	}
	return false;
}

static bool good(const struct dot *d)
{
	return !d->bare_seen && !d->nul_seen;
}

static bool whole_lines(struct slice s)
{
	return s.len == 0 || (s.len >= 2 && s.at[s.len - 1] == '\n' &&
				 s.at[s.len - 2] == '\r');
}

/* No CR or LF but together, no NUL: said a second time, and slowly. */
static bool plainly_good(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		uint8_t before = i > 0 ? s.at[i - 1] : 0;
		uint8_t after = i + 1 < s.len ? s.at[i + 1] : 0;

		if (s.at[i] == '\0' || (s.at[i] == '\n' && before != '\r') ||
		    (s.at[i] == '\r' && after != '\n'))
			return false;
	}
	return true;
}

static void fuzz_read(struct slice in, size_t step)
{
	struct buf whole = buf_over(rooms[0], sizeof(rooms[0]));
	struct buf cut = buf_over(rooms[1], sizeof(rooms[1]));
	struct buf message = buf_over(rooms[2], sizeof(rooms[2]));
	struct buf again = buf_over(rooms[3], sizeof(rooms[3]));
	struct dot d, e;

	dot_init(&d);
	dot_init(&e);
	bool done = feed(dot_read, &d, in, in.len, &whole);
	check(done == feed(dot_read, &e, in, step, &cut));
	check(good(&d) == good(&e));
	check(d.has_8bit == e.has_8bit);
	check(d.stuffed_count == e.stuffed_count);
	if (!good(&d) || !done)
		return;
	check(slice_eq(buf_slice(&whole), buf_slice(&cut)));
	check(whole_lines(buf_slice(&whole)));
	check(plainly_good(buf_slice(&whole)));
	dot_init(&e);
	feed(dot_unstuff, &e, buf_slice(&whole), step, &message);
	check(message.len == whole.len - d.stuffed_count);
	dot_init(&e);
	feed(dot_stuff, &e, buf_slice(&message), step, &again);
	check(dot_stuff_end(&e).len == 0);
	check(slice_eq(buf_slice(&whole), buf_slice(&again)));
}

static void fuzz_stuff(struct slice in, size_t step)
{
	struct buf stored = buf_over(rooms[0], sizeof(rooms[0]));
	struct buf message = buf_over(rooms[1], sizeof(rooms[1]));
	struct buf again = buf_over(rooms[2], sizeof(rooms[2]));
	struct dot d, e;

	dot_init(&d);
	feed(dot_stuff, &d, in, step, &stored);
	struct slice end = dot_stuff_end(&d);
	buf_put(&stored, end);
	check(good(&d) == plainly_good(in));
	if (!good(&d))
		return;
	check(whole_lines(buf_slice(&stored)));
	dot_init(&e);
	feed(dot_unstuff, &e, buf_slice(&stored), step, &message);
	message.len -= end.len;
	check(slice_eq(buf_slice(&message), in));

	/* What a client would send is read back as the same. */
	buf_put_str(&stored, ".\r\n");
	dot_init(&e);
	check(feed(dot_read, &e, buf_slice(&stored), step, &again));
	stored.len -= 3;
	check(slice_eq(buf_slice(&stored), buf_slice(&again)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1 || size > 4096)
		return 0;
	size_t step = 1 + data[0] % 20;
	struct slice in = slice_of(data + 1, size - 1);

	fuzz_read(in, step);
	fuzz_stuff(in, step);
	return 0;
}
