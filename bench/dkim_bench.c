/* dkim_bench.c -- what a body hash costs, beside wolfSSL's SHA-256 alone of the
 * same bytes.
 *
 * A message of each kind is fed in pieces as the relay gets them; the library
 * hashes the same pieces in turn with it, so that a busy neighbour costs the
 * same for both.  CPU time; the median of the rounds' ratios.
 *
 *   dkim_bench [ROUNDS]     exit status 1: a target is not reached */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/rng.h"
#include "dkim/body.h"

#define ROUNDS_MAX 101
#define TARGET 1.10
#define BODY_LEN (1u << 20)
#define PIECE_LEN 16384
#define SLICE_S 0.02

struct text {
	size_t len;
	uint8_t at[BODY_LEN + 4096];
};

static void put(struct text *t, const char *bytes, size_t len)
{
	memcpy(t->at + t->len, bytes, len);
	t->len += len;
}

static void put_str(struct text *t, const char *str)
{
	put(t, str, strlen(str));
}

/* MIME's lines of 76. */
static void fill_base64(struct text *t, struct rng *rng)
{
	static const char letters[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789+/";

	while (t->len < BODY_LEN) {
		for (unsigned i = 0; i < 76; i++)
			put(t, &letters[rng_below(rng, 64)], 1);
		put_str(t, "\r\n");
	}
}

static void put_word(struct text *t, struct rng *rng)
{
	size_t len = 1 + rng_below(rng, 9);

	while (len-- > 0)
		put(t, &"etaoinshrdlucmfw"[rng_below(rng, 16)], 1);
}

/* Lines of up to 72, a paragraph now and then. */
static void fill_text(struct text *t, struct rng *rng)
{
	while (t->len < BODY_LEN) {
		size_t start = t->len;

		put_word(t, rng);
		while (t->len - start < 62) {
			put_str(t, rng_below(rng, 12) == 0 ? ". " : " ");
			put_word(t, rng);
		}
		put_str(t, rng_below(rng, 9) == 0 ? ".\r\n\r\n" : "\r\n");
	}
}

/* Nested tables, as newsletters have them. */
static void fill_html(struct text *t, struct rng *rng)
{
	static const char *const tags[] = {"<tr>", "</tr>",
	    "<td align=\"left\">", "</td>",
	    "<table width=\"100%\" cellpadding=\"0\">", "<br />",
	    "<p style=\"margin: 0; padding: 0 0 10px\">", "</p>"};

	while (t->len < BODY_LEN) {
		for (uint64_t i = 2 * rng_below(rng, 12); i > 0; i--)
			put_str(t, " ");
		put_str(t, tags[rng_below(rng, COUNT(tags))]);
		for (uint64_t i = rng_below(rng, 7); i > 0; i--) {
			put_word(t, rng);
			put_str(t, i > 1 ? " " : "");
		}
		put_str(t, "\r\n");
	}
}

/* The same with tabs, and blanks at the ends of some lines. */
static void fill_tabs(struct text *t, struct rng *rng)
{
	while (t->len < BODY_LEN) {
		for (uint64_t i = rng_below(rng, 8); i > 0; i--)
			put_str(t, "\t");
		put_str(t, "<td>");
		for (uint64_t i = rng_below(rng, 7); i > 0; i--) {
			put_word(t, rng);
			put_str(t, i > 1 ? " " : "");
		}
		put_str(t, rng_below(rng, 4) == 0 ? "</td> \t\r\n" : "\r\n");
	}
}

static const struct {
	const char *name;
	void (*fill)(struct text *t, struct rng *rng);
} kinds[] = {
    {"base64", fill_base64},
    {"text", fill_text},
    {"HTML, blanks", fill_html},
    {"HTML, tabs", fill_tabs},
};

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void plain(const struct text *t)
{
	struct slice in = slice_of(t->at, t->len);
	uint8_t hash[DKIM_HASH_LEN];
	wc_Sha256 sha;

	wc_InitSha256(&sha);
	while (in.len > 0) {
		struct slice piece =
		    slice_cut(&in, in.len < PIECE_LEN ? in.len : PIECE_LEN);

		wc_Sha256Update(&sha, piece.at, (word32)piece.len);
	}
	wc_Sha256Final(&sha, hash);
}

static void ours(const struct text *t, enum dkim_canon canon)
{
	struct slice in = slice_of(t->at, t->len);
	uint8_t hash[DKIM_HASH_LEN];
	struct dkim_body body;

	dkim_body_init(&body, 1u << canon);
	dkim_body_feed(&body, SLICE("Subject: x\r\n\r\n"));
	while (in.len > 0)
		dkim_body_feed(&body,
		    slice_cut(&in, in.len < PIECE_LEN ? in.len : PIECE_LEN));
	dkim_body_finish(&body, canon, hash);
}

static double per_second(const struct text *t, int canon)
{
	double begin = now_s(), took;
	unsigned count = 0;

	do {
		if (canon < 0)
			plain(t);
		else
			ours(t, (enum dkim_canon)canon);
		count++;
		took = now_s() - begin;
	} while (took < SLICE_S);
	return count * (double)t->len / took;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, unsigned count)
{
	qsort(values, count, sizeof(*values), compare);
	return values[count / 2];
}

/* Whether both forms reach the target. */
static bool race(const char *name, const struct text *t, unsigned rounds)
{
	double speed[ROUNDS_MAX], ratio[DKIM_CANON_COUNT][ROUNDS_MAX];
	double cost[DKIM_CANON_COUNT];

	for (unsigned r = 0; r < rounds; r++) {
		speed[r] = per_second(t, -1);
		for (int c = 0; c < DKIM_CANON_COUNT; c++)
			ratio[c][r] = speed[r] / per_second(t, c);
	}
	for (unsigned c = 0; c < DKIM_CANON_COUNT; c++)
		cost[c] = median(ratio[c], rounds);
	printf("%-14s %10.0f %8.3f %8.3f\n", name, median(speed, rounds) / 1e6,
	    cost[DKIM_SIMPLE], cost[DKIM_RELAXED]);
	return cost[DKIM_SIMPLE] <= TARGET && cost[DKIM_RELAXED] <= TARGET;
}

int main(int argc, char **argv)
{
	unsigned rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 21;
	struct text *t = malloc(sizeof(*t));
	bool reached = true;

	if (rounds < 1 || rounds > ROUNDS_MAX || t == NULL) {
		fprintf(stderr, "dkim_bench [ROUNDS up to %d]\n", ROUNDS_MAX);
		return 64;
	}
	printf("time / time of SHA-256 alone over the same bytes"
	       " (target: at most %.2f)\n\n%-14s %10s %8s %8s\n",
	    TARGET, "body", "plain MB/s", "simple", "relaxed");
	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct rng rng = {.state = 1};

		t->len = 0;
		kinds[i].fill(t, &rng);
		reached = race(kinds[i].name, t, rounds) && reached;
	}
	free(t);
	return reached ? 0 : 1;
}
