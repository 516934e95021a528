/* penalty.c -- failed logins make the next answer to the same address slower.
 */
#include "core/inbound/penalty.h"

#define SET_COUNT 512
#define WAYS 8
/* 1 s doubled five times is over the most already. */
#define FAILURES_MAX 6

struct record {
	uint8_t key[16];    /* IPv4 as ::ffff:a.b.c.d; a /64 with zeros */
	uint64_t failed_ms; /* the last time */
	uint64_t next_ms;   /* answers are given no earlier */
	unsigned failures;  /* at failed_ms; 0: a free place */
};

struct penalty_set {
	struct record at[WAYS];
};

int penalty_open(struct penalty *p, uint64_t seed)
{
	size_t len = SET_COUNT * sizeof(struct penalty_set);
	int err;

	*p = (struct penalty){.seed = seed};
	err = pool_init(&p->pool, "penalties", len, 1);
	if (err < 0)
		return err;
	p->sets = pool_take(&p->pool);
	check(p->sets != NULL);
	memset(p->sets, 0, len);
	return 0;
}

void penalty_close(struct penalty *p)
{
	pool_deinit(&p->pool);
}

static void key_of(const union socket_address *a, uint8_t key[16])
{
	memset(key, 0, 16);
	if (a->any.sa_family != AF_INET6) {
		key[10] = key[11] = 0xff;
		memcpy(key + 12, &a->v4.sin_addr, 4);
		return;
	}
	/* A network has one owner, who has all its addresses. */
	memcpy(key, &a->v6.sin6_addr,
	    IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr) ? 16 : 8);
}

static struct penalty_set *set_of(const struct penalty *p, const uint8_t *key)
{
	return &p->sets[slice_hash_nocase(slice_of(key, 16), p->seed) %
			SET_COUNT];
}

static unsigned failures_now(const struct record *r, uint64_t now_ms)
{
	uint64_t forgiven = now_ms > r->failed_ms
				? (now_ms - r->failed_ms) / PENALTY_FORGIVEN_MS
				: 0;

	return forgiven >= r->failures ? 0 : r->failures - (unsigned)forgiven;
}

static struct record *find(struct penalty_set *set, const uint8_t *key)
{
	for (unsigned i = 0; i < WAYS; i++)
		if (set->at[i].failures > 0 &&
		    memcmp(set->at[i].key, key, 16) == 0)
			return &set->at[i];
	return NULL;
}

/* A free place, or that of whoever has failed least and longest ago. */
static struct record *make_room(struct penalty_set *set, uint64_t now_ms)
{
	struct record *least = &set->at[0];

	for (unsigned i = 1; i < WAYS; i++) {
		struct record *r = &set->at[i];
		unsigned a = failures_now(r, now_ms);
		unsigned b = failures_now(least, now_ms);

		if (a < b || (a == b && r->failed_ms < least->failed_ms))
			least = r;
	}
	return least;
}

uint64_t penalty_delay_ms(
    struct penalty *p, const union socket_address *address, uint64_t now_ms)
{
	uint8_t key[16];
	struct record *r;
	uint64_t step, start;
	unsigned failures;

	key_of(address, key);
	r = find(set_of(p, key), key);
	failures = r == NULL ? 0 : failures_now(r, now_ms);
	if (failures == 0)
		return 0;
	step = (uint64_t)PENALTY_FIRST_MS << (failures - 1);
	start = r->next_ms > now_ms ? r->next_ms : now_ms;
	r->next_ms = start + step;
	if (r->next_ms > now_ms + PENALTY_MAX_MS)
		r->next_ms = now_ms + PENALTY_MAX_MS;
	return r->next_ms - now_ms;
}

void penalty_failed(
    struct penalty *p, const union socket_address *address, uint64_t now_ms)
{
	uint8_t key[16];
	struct record *r;
	unsigned failures;

	key_of(address, key);
	r = find(set_of(p, key), key);
	if (r == NULL) {
		r = make_room(set_of(p, key), now_ms);
		*r = (struct record){0};
		memcpy(r->key, key, sizeof(key));
	}
	failures = failures_now(r, now_ms);
	r->failures = failures < FAILURES_MAX ? failures + 1 : FAILURES_MAX;
	r->failed_ms = now_ms;
}
