/* The map finds what is in it, whatever its size, and nothing else. */
#include "core/base/map.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "core/base/rng.h"

#define NODES 5000

struct thing {
	struct map_node node;
	uint64_t name;
	bool in;
};

static uint64_t hash_of(uint64_t name)
{
	struct rng rng = {name / 3}; /* three names have the same hash */

	return rng_next(&rng);
}

static struct thing *find(struct map *m, uint64_t name)
{
	struct map_node *node = map_first(m, hash_of(name));

	for (; node != NULL; node = map_next(node)) {
		struct thing *t = container_of(node, struct thing, node);

		if (t->name == name)
			return t;
	}
	return NULL;
}

Test(map, empty_finds_nothing)
{
	struct map m;

	cr_assert(eq(int, map_init(&m, 1), 0));
	cr_assert(map_first(&m, 0) == NULL);
	cr_assert(map_first(&m, UINT64_MAX) == NULL);
	map_deinit(&m);
}

Test(map, finds_all_at_every_size)
{
	static const size_t count_maxes[] = {1, 16, 17, 100, 1024, NODES};
	static struct thing things[NODES];

	for (size_t c = 0; c < COUNT(count_maxes); c++) {
		struct map m;

		cr_assert(eq(int, map_init(&m, count_maxes[c]), 0));
		for (size_t i = 0; i < NODES; i++) {
			things[i].name = i;
			cr_assert(find(&m, i) == NULL);
			map_insert(&m, &things[i].node, hash_of(i));
			cr_assert(find(&m, i) == &things[i]);
		}
		for (size_t i = 0; i < NODES; i++)
			cr_assert(find(&m, i) == &things[i]);
		cr_assert(eq(sz, m.count, NODES));
		map_deinit(&m);
	}
}

Test(map, agrees_with_a_model)
{
	static struct thing things[NODES];
	struct rng rng = {7};
	struct map m;

	cr_assert(eq(int, map_init(&m, NODES), 0));
	for (int step = 0; step < 100000; step++) {
		size_t i = rng_below(&rng, NODES);
		struct thing *t = &things[i];

		t->name = i;
		cr_assert(find(&m, i) == (t->in ? t : NULL));
		if (t->in)
			map_remove(&m, &t->node);
		else
			map_insert(&m, &t->node, hash_of(i));
		t->in = !t->in;
	}
	map_deinit(&m);
}
