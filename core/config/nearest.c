/* nearest.c -- Damerau and Levenshtein's distance, the variant without edits
 * between swapped letters. */
#include "core/config/nearest.h"

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

unsigned nearest_distance(struct slice a, struct slice b)
{
	/* Three rows of the matrix: before last, last, this. */
	unsigned rows[3][NEAREST_LEN_MAX + 1] = {0};

	if (a.len > NEAREST_LEN_MAX || b.len > NEAREST_LEN_MAX)
		return NEAREST_LEN_MAX;
	for (unsigned j = 0; j <= b.len; j++)
		rows[0][j] = j;
	for (unsigned i = 1; i <= a.len; i++) {
		unsigned *now = rows[i % 3];
		const unsigned *last = rows[(i + 2) % 3];
		const unsigned *before = rows[(i + 1) % 3];

		now[0] = i;
		for (unsigned j = 1; j <= b.len; j++) {
			uint8_t x = byte_lower(a.at[i - 1]);
			uint8_t y = byte_lower(b.at[j - 1]);

			now[j] = least(least(last[j], now[j - 1]) + 1,
			    last[j - 1] + (x == y ? 0 : 1));
			if (i > 1 && j > 1 && x == byte_lower(b.at[j - 2]) &&
			    y == byte_lower(a.at[i - 2]))
				now[j] = least(now[j], before[j - 2] + 1);
		}
	}
	return rows[a.len % 3][b.len];
}

bool nearest_enough(unsigned mistakes, struct slice name)
{
	return mistakes <= 1 + name.len / 4;
}

const char *nearest_of(
    struct slice name, const char *const *names, size_t count)
{
	const char *nearest = NULL;
	unsigned fewest = NEAREST_LEN_MAX;

	for (size_t i = 0; i < count; i++) {
		unsigned mistakes =
		    nearest_distance(name, slice_of_str(names[i]));

		if (mistakes < fewest) {
			fewest = mistakes;
			nearest = names[i];
		}
	}
	return nearest_enough(fewest, name) ? nearest : NULL;
}
