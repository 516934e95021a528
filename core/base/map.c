/* map.c -- finding a thing by the hash of its name: linear hashing.
 *
 * With b buckets in use and 2^k <= b < 2^(k+1), a hash belongs to bucket
 * hash mod 2^(k+1) when there is such a bucket, else to hash mod 2^k.  To grow
 * by one bucket, number b, only bucket b - 2^k has to be split.  So the table
 * grows with every insertion by a little, and never stops to be rebuilt.
 *
 * It does not shrink: its size is bounded by what was configured.  The lower
 * bits of a hash choose the bucket, so they must be good ones. */
#include "core/base/map.h"

#include <errno.h>
#include <sys/mman.h>

#define BUCKET_COUNT_MIN 16u

int map_init(struct map *m, size_t count_max)
{
	if (count_max < BUCKET_COUNT_MIN)
		count_max = BUCKET_COUNT_MIN;
	void *buckets = mmap(NULL, count_max * sizeof(m->buckets[0]),
	    PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
	    -1, 0);
	if (buckets == MAP_FAILED)
		return -ENOMEM;
	*m = (struct map){
	    .buckets = buckets,
	    .bucket_count = BUCKET_COUNT_MIN,
	    .bucket_count_max = count_max,
	    .mask = BUCKET_COUNT_MIN - 1,
	};
	return 0;
}

void map_deinit(struct map *m)
{
	if (m->buckets != NULL)
		munmap(m->buckets, m->bucket_count_max * sizeof(m->buckets[0]));
	*m = (struct map){0};
}

static struct map_node **bucket_of(const struct map *m, uint64_t hash)
{
	size_t i = hash & (m->mask << 1 | 1);

	if (i >= m->bucket_count)
		i = hash & m->mask;
	return &m->buckets[i];
}

static void grow(struct map *m)
{
	struct map_node **from = &m->buckets[m->bucket_count - m->mask - 1];
	struct map_node **to = &m->buckets[m->bucket_count];

	m->bucket_count++;
	while (*from != NULL) {
		struct map_node *node = *from;

		if (bucket_of(m, node->hash) == to) {
			*from = node->next;
			node->next = *to;
			*to = node;
		} else {
			from = &node->next;
		}
	}
	if (m->bucket_count == (m->mask + 1) << 1)
		m->mask = m->mask << 1 | 1;
}

void map_insert(struct map *m, struct map_node *node, uint64_t hash)
{
	if (m->count >= m->bucket_count &&
	    m->bucket_count < m->bucket_count_max)
		grow(m);
	struct map_node **bucket = bucket_of(m, hash);
	*node = (struct map_node){.hash = hash, .next = *bucket};
	*bucket = node;
	m->count++;
}

void map_remove(struct map *m, struct map_node *node)
{
	struct map_node **link = bucket_of(m, node->hash);

	while (*link != node) {
		check(*link != NULL);
		link = &(*link)->next;
	}
	*link = node->next;
	node->next = NULL;
	m->count--;
}

static struct map_node *same_hash(struct map_node *node, uint64_t hash)
{
	while (node != NULL && node->hash != hash)
		node = node->next;
	return node;
}

struct map_node *map_first(const struct map *m, uint64_t hash)
{
	return same_hash(*bucket_of(m, hash), hash);
}

struct map_node *map_next(const struct map_node *node)
{
	return same_hash(node->next, node->hash);
}
