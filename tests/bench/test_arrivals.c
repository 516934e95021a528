#include "bench/arrivals.h"

#include <criterion/criterion.h>
#include <string.h>

#include "bench/letter.h"

static struct letter letter_of(const char *sizes)
{
	struct letter l = {.run = 9,
	    .first = 100,
	    .rcpt_count = 1,
	    .sender_domain_count = 1,
	    .rcpt_domain_count = 3,
	    .sender_domain = "a.example",
	    .rcpt_domain = "b.example",
	    .rcpt_prefix = ""};

	cr_assert(letter_read_sizes(&l, sizes), "%s", sizes);
	cr_assert_eq(letter_open(&l), 0);
	return l;
}

/* The id that a message bears is the one that is read at the other end. */
static struct arrival_id id_of(const struct letter *l, uint64_t seq)
{
	char head[LETTER_HEAD_MAX + 1];
	struct buf out = buf_over(head, LETTER_HEAD_MAX);
	struct arrival_id id;

	letter_put_head(l, seq, 777, &out);
	cr_assert(!out.overflowed);
	head[out.len] = '\0';
	char *at = strstr(head, LETTER_ID) + strlen(LETTER_ID);
	arrival_read_id(&id, slice_of(at, (size_t)(strstr(at, "\r\n") - at)));
	return id;
}

Test(arrivals, counts_losses_and_repetitions)
{
	struct letter l = letter_of("2k");
	struct arrivals a = {.expected = 3, .first = 100, .rcpt_count = 2};
	struct arrival_id none = {0};

	cr_assert_eq(arrivals_open(&a), 0);
	for (uint64_t seq = 100; seq < 103; seq++) {
		struct arrival_id id = id_of(&l, seq);

		cr_assert(id.known);
		cr_assert_eq(id.seq, seq);
		cr_assert_eq(id.due_ns, 777);
		arrivals_take(&a, &id, 1, 0, 10);
	}
	cr_assert_eq(a.unique, 3);
	cr_assert(!arrivals_complete(&a));
	struct arrival_id again = id_of(&l, 101);
	arrivals_take(&a, &again, 3, 0, 10); /* r0 again, r1 for the first */
	cr_assert_eq(a.unique, 4);
	cr_assert_eq(a.duplicates, 1);
	struct arrival_id other = id_of(&l, 103); /* beyond what is expected */
	arrivals_take(&a, &other, 1, 0, 10);
	arrivals_take(&a, &none, 1, 0, 10);
	arrivals_take(&a, &again, 4, 0, 10); /* a third recipient */
	cr_assert_eq(a.foreign, 3);
	cr_assert_eq(a.unique, 4);
	cr_assert_eq(a.bytes, 70);
	arrivals_close(&a);
	cr_assert_eq(a.unique, 0);
}

Test(arrivals, refuses_what_is_no_id)
{
	static const char *const texts[] = {
	    "", "1", "1.2", "1.2.x", "1..3", ".2.3", "1.2.3.4", "-1.2.3"};
	struct arrival_id id;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		arrival_read_id(&id, slice_of_str(texts[i]));
		cr_assert(!id.known, "%s", texts[i]);
	}
}

Test(letter, is_as_long_as_was_asked_and_has_no_end_in_it)
{
	struct letter l = letter_of("300:1,2k:3,77777:1,1M:1");
	uint64_t seen[4] = {0};
	char head[LETTER_HEAD_MAX];

	for (uint64_t seq = 0; seq < 400; seq++) {
		struct buf out = buf_over(head, sizeof(head));
		uint64_t size = letter_size(&l, seq);

		letter_put_head(&l, seq, 123456789012345, &out);
		struct slice text = letter_text(&l, seq, out.len);
		uint64_t len = out.len + text.len + 2;

		/* One less, so that no CR is cut off its LF. */
		if (size > 1000)
			cr_assert(len == size || len == size - 1, "%lu", len);
		cr_assert_neq(text.at[text.len - 1], '\r');
		cr_assert_eq(slice_find(text, '.'), text.len);
		seen[size == 300    ? 0
		     : size == 2048 ? 1
		     : size < 99999 ? 2
				    : 3]++;
	}
	for (size_t i = 0; i < 4; i++)
		cr_assert_gt(seen[i], 20);
}

Test(letter, refuses_what_is_no_size)
{
	static const char *const texts[] = {
	    "", "x", "10k:0", ":1", "k", "1,,2", "99999999999999999999"};
	struct letter l = {0};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		cr_assert(!letter_read_sizes(&l, texts[i]), "%s", texts[i]);
}
