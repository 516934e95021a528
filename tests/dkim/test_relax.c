/* test_relax.c -- every kernel this CPU can run, against bytes one by one. */
#include "dkim/relax.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/check.h"
#include "core/base/rng.h"

#define TEXT_MAX 8192

static const struct {
	const char *name;
	relax_blocks *run;
} kernels[] = {
    {"plain", relax_plain},
#ifdef __x86_64__
    {"avx2", relax_avx2},
    {"avx512", relax_avx512},
#endif
};

/* The best comes last: what is behind it cannot run here. */
static size_t kernel_count(void)
{
	size_t i = 0;

	while (kernels[i].run != relax_best())
		i++;
	return i + 1;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* The relaxed form of so much of it, where the byte behind is known, too. */
static size_t relaxed(struct slice in, size_t taken, uint8_t *to)
{
	size_t len = 0;

	for (size_t i = 0; i < taken; i++) {
		uint8_t c = in.at[i], next = in.at[i + 1];

		if (is_blank(c) && (is_blank(next) || next == '\r'))
			continue;
		if (c == '.' && i > 0 && in.at[i - 1] == '\n')
			continue;
		to[len++] = c == '\t' ? ' ' : c;
	}
	return len;
}

static void assert_relaxes(struct slice in)
{
	static uint8_t want[TEXT_MAX];
	static struct relax_room room;

	for (size_t k = 0; k < kernel_count(); k++) {
		size_t taken, len;

		room.len = 0;
		taken = kernels[k].run(&room, in);
		cr_assert(taken < in.len || in.len == 0);
		if (room.len <= RELAX_ROOM - RELAX_BLOCK)
			cr_assert(in.len - taken < RELAX_VIEW);
		len = relaxed(in, taken, want);
		cr_assert_eq(room.len, len, "%s", kernels[k].name);
		cr_assert_eq(
		    memcmp(room.at, want, len), 0, "%s", kernels[k].name);
	}
}

/* A slice of its own memory: what is read behind it is seen. */
static void assert_alone(const uint8_t *at, size_t len)
{
	uint8_t *copy = malloc(len + 1);

	memcpy(copy, at, len);
	assert_relaxes(slice_of(copy, len));
	free(copy);
}

static size_t put_tokens(uint8_t *at, struct rng *rng, unsigned plain_percent)
{
	static const char *const tokens[] = {" ", "  ", "\t", " \t ", "\r\n",
	    "\r\n..", " \r\n", "\r\n\t", ".", "\r\n\r\n", "P@`0",
	    "\x80\xa0\xff", "\v", "MYJ\x1a", "~",
	    "                                      "};
	size_t len = 0, max = rng_below(rng, TEXT_MAX - 40);

	while (len < max) {
		const char *t = tokens[rng_below(rng, COUNT(tokens))];

		if (rng_below(rng, 100) < plain_percent)
			t = "plain words";
		memcpy(at + len, t, strlen(t));
		len += strlen(t);
	}
	return len;
}

Test(relax, is_the_same_in_every_kernel)
{
	static uint8_t text[TEXT_MAX];
	struct rng rng = {.state = 1};

	for (unsigned round = 0; round < 3000; round++) {
		size_t len = put_tokens(text, &rng, round % 100);

		/* The caller's promise: no line begins here. */
		assert_alone(text, len);
	}
}

/* Every byte, with every neighbour, at a block's end and inside. */
Test(relax, knows_every_pair_of_bytes)
{
	uint8_t text[3 * RELAX_BLOCK];

	for (unsigned place = RELAX_BLOCK - 2; place < RELAX_BLOCK + 2; place++)
		for (unsigned pair = 0; pair < 65536; pair++) {
			memset(text, 'x', sizeof(text));
			text[place] = (uint8_t)pair;
			text[place + 1] = (uint8_t)(pair >> 8);
			assert_relaxes(slice_of(text, sizeof(text)));
		}
}

Test(relax, stops_when_the_room_is_full)
{
	static uint8_t text[2 * RELAX_ROOM];
	static struct relax_room room;

	memset(text, 'x', sizeof(text));
	for (size_t k = 0; k < kernel_count(); k++) {
		room.len = 1;
		cr_assert_eq(
		    kernels[k].run(&room, slice_of(text, sizeof(text))),
		    RELAX_ROOM - RELAX_BLOCK);
		cr_assert_eq(room.len, RELAX_ROOM - RELAX_BLOCK + 1);
		cr_assert_eq(
		    kernels[k].run(&room, slice_of(text, sizeof(text))), 0);
	}
}
