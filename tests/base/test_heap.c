/* The heap against a model: an array that is searched. */
#include "core/base/heap.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "core/base/rng.h"

#define NODES 300

struct thing {
	struct heap_node node;
	bool in;
};

Test(heap, empty_gives_nothing)
{
	struct heap h;

	heap_init(&h);
	cr_assert(heap_first(&h) == NULL);
	cr_assert(heap_pop(&h) == NULL);
}

Test(heap, sorts)
{
	static const uint64_t keys[] = {5, 1, UINT64_MAX, 3, 3, 0, 9, 1};
	static const uint64_t sorted[] = {0, 1, 1, 3, 3, 5, 9, UINT64_MAX};
	struct heap_node nodes[COUNT(keys)];
	struct heap h;

	heap_init(&h);
	for (size_t i = 0; i < COUNT(keys); i++)
		heap_insert(&h, &nodes[i], keys[i]);
	cr_assert(eq(sz, h.count, COUNT(keys)));
	for (size_t i = 0; i < COUNT(keys); i++) {
		cr_assert(eq(u64, heap_first(&h)->key, sorted[i]));
		heap_pop(&h);
	}
	cr_assert(eq(sz, h.count, 0));
}

static struct thing *least(struct thing *things)
{
	struct thing *found = NULL;

	for (size_t i = 0; i < NODES; i++) {
		if (things[i].in &&
		    (found == NULL || things[i].node.key < found->node.key))
			found = &things[i];
	}
	return found;
}

Test(heap, agrees_with_a_model)
{
	for (uint64_t seed = 1; seed <= 20; seed++) {
		static struct thing things[NODES];
		struct rng rng = {seed};
		struct heap h;
		size_t count = 0;

		memset(things, 0, sizeof(things));
		heap_init(&h);
		for (int step = 0; step < 3000; step++) {
			struct thing *t = &things[rng_below(&rng, NODES)];
			struct thing *first = least(things);

			if (!t->in) {
				/* Few keys: many that are equal. */
				heap_insert(&h, &t->node, rng_below(&rng, 50));
				t->in = true;
				count++;
			} else if (rng_below(&rng, 2) == 0) {
				heap_remove(&h, &t->node);
				t->in = false;
				count--;
			} else {
				struct heap_node *node = heap_first(&h);

				cr_assert(eq(u64, node->key, first->node.key));
				cr_assert(heap_pop(&h) == node);
				container_of(node, struct thing, node)->in =
				    false;
				count--;
			}
			cr_assert(eq(sz, h.count, count));
		}
	}
}
