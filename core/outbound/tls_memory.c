/* tls_memory.c -- what a worker remembers of the TLS of next hops.
 *
 * An entry a host, found by the hash of its key, in a list by the time of the
 * last news.  Its time runs from then on. */
#include "core/outbound/tls_memory.h"

#include <string.h>

struct tls_host {
	struct map_node node;
	struct list link; /* by_use */
	union socket_address address;
	enum policy_level level;
	uint64_t until_s;
	bool broken;
	uint8_t name_len;
	uint16_t session_len; /* 0 = none */
	uint8_t name[TLS_MEMORY_NAME_MAX];
	uint8_t session[TLS_MEMORY_SESSION_MAX];
};

int tls_memory_open(struct tls_memory *m, uint64_t seed)
{
	int err;

	*m = (struct tls_memory){.seed = seed};
	list_init(&m->by_use);
	if ((err = pool_init(&m->pool, "TLS sessions", sizeof(struct tls_host),
		 TLS_MEMORY_MAX)) < 0)
		return err;
	if ((err = map_init(&m->by_key, TLS_MEMORY_MAX)) < 0)
		pool_deinit(&m->pool);
	return err;
}

void tls_memory_close(struct tls_memory *m)
{
	tls_memory_forget_all(m);
	map_deinit(&m->by_key);
	pool_deinit(&m->pool);
}

static struct slice address_bytes(const union socket_address *a)
{
	if (a->any.sa_family == AF_INET)
		return slice_of(&a->v4.sin_addr, sizeof(a->v4.sin_addr));
	return slice_of(&a->v6.sin6_addr, sizeof(a->v6.sin6_addr));
}

static bool address_eq(
    const union socket_address *a, const union socket_address *b)
{
	/* The port lies in the same place in both. */
	return a->any.sa_family == b->any.sa_family &&
	       a->v4.sin_port == b->v4.sin_port &&
	       slice_eq(address_bytes(a), address_bytes(b));
}

static uint64_t hash_of(
    const struct tls_memory *m, const struct tls_memory_key *key)
{
	uint64_t hash = slice_hash_nocase(key->name, m->seed);

	hash = slice_hash_nocase(address_bytes(key->address), hash);
	return hash ^ ((uint64_t)key->level << 56) ^ key->address->v4.sin_port;
}

static struct tls_host *find(
    const struct tls_memory *m, const struct tls_memory_key *key)
{
	struct map_node *node = map_first(&m->by_key, hash_of(m, key));

	for (; node != NULL; node = map_next(node)) {
		struct tls_host *h = container_of(node, struct tls_host, node);

		if (h->level == key->level &&
		    address_eq(&h->address, key->address) &&
		    slice_eq_nocase(slice_of(h->name, h->name_len), key->name))
			return h;
	}
	return NULL;
}

static void drop(struct tls_memory *m, struct tls_host *h)
{
	map_remove(&m->by_key, &h->node);
	list_remove(&h->link);
	/* Who has the session's keys can read what was sent with it. */
	explicit_bzero(h->session, h->session_len);
	pool_give(&m->pool, h);
}

static struct tls_host *find_fresh(
    struct tls_memory *m, const struct tls_memory_key *key, uint64_t now_s)
{
	struct tls_host *h = find(m, key);

	if (h != NULL && h->until_s <= now_s) {
		drop(m, h);
		return NULL;
	}
	return h;
}

/* The entry, made if need be, with the time running anew. */
static struct tls_host *meet(
    struct tls_memory *m, const struct tls_memory_key *key, uint64_t now_s)
{
	struct tls_host *h = find(m, key);

	if (h == NULL) {
		if (m->by_key.count == TLS_MEMORY_MAX)
			drop(m, container_of(
				    m->by_use.next, struct tls_host, link));
		h = pool_take(&m->pool);
		check(h != NULL);
		h->session_len = 0;
		h->address = *key->address;
		h->level = key->level;
		h->name_len = (uint8_t)key->name.len;
		memcpy(h->name, key->name.at, key->name.len);
		list_init(&h->link);
		map_insert(&m->by_key, &h->node, hash_of(m, key));
	}
	h->broken = false;
	h->until_s = now_s + TLS_MEMORY_S;
	list_remove(&h->link);
	list_push_back(&m->by_use, &h->link);
	return h;
}

void tls_memory_keep(struct tls_memory *m, const struct tls_memory_key *key,
    struct slice session, uint64_t now_s)
{
	if (session.len == 0 || session.len > TLS_MEMORY_SESSION_MAX ||
	    key->name.len > TLS_MEMORY_NAME_MAX)
		return;
	struct tls_host *h = meet(m, key, now_s);

	h->session_len = (uint16_t)session.len;
	memcpy(h->session, session.at, session.len);
}

struct slice tls_memory_session(
    struct tls_memory *m, const struct tls_memory_key *key, uint64_t now_s)
{
	struct tls_host *h = find_fresh(m, key, now_s);

	if (h == NULL)
		return (struct slice){NULL, 0};
	return slice_of(h->session, h->session_len);
}

void tls_memory_break(
    struct tls_memory *m, const struct tls_memory_key *key, uint64_t now_s)
{
	if (key->name.len > TLS_MEMORY_NAME_MAX)
		return;
	struct tls_host *h = meet(m, key, now_s);

	h->broken = true;
	explicit_bzero(h->session, h->session_len);
	h->session_len = 0;
}

bool tls_memory_is_broken(
    struct tls_memory *m, const struct tls_memory_key *key, uint64_t now_s)
{
	struct tls_host *h = find_fresh(m, key, now_s);

	return h != NULL && h->broken;
}

void tls_memory_forget(struct tls_memory *m, const struct tls_memory_key *key)
{
	struct tls_host *h = find(m, key);

	if (h != NULL)
		drop(m, h);
}

void tls_memory_forget_all(struct tls_memory *m)
{
	LIST_EACH_SAFE (node, &m->by_use)
		drop(m, container_of(node, struct tls_host, link));
}
