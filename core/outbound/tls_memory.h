/* tls_memory.h -- what a worker remembers of the TLS of next hops: a session to
 * go on with, or that there is no use in trying.
 *
 * Bounded: whom we met longest ago is forgotten first; and nothing is
 * remembered for longer than TLS_MEMORY_S. */
#ifndef CORE_OUTBOUND_TLS_MEMORY_H
#define CORE_OUTBOUND_TLS_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/list.h"
#include "core/base/map.h"
#include "core/base/pool.h"
#include "core/base/slice.h"
#include "core/base/socket_address.h"
#include "core/outbound/policy.h"

#define TLS_MEMORY_S 3600
#define TLS_MEMORY_MAX 1024 /* hosts of a worker */
#define TLS_MEMORY_SESSION_MAX 4096
#define TLS_MEMORY_NAME_MAX 255

/* Whom: a session is never used for another address, another name or another
 * policy than it was made with. */
struct tls_memory_key {
	struct slice name;
	const union socket_address *address;
	enum policy_level level;
};

struct tls_memory {
	struct pool pool;
	struct map by_key;
	struct list by_use; /* the least lately met first */
	uint64_t seed;
};

MUST_USE int tls_memory_open(struct tls_memory *m, uint64_t seed);
void tls_memory_close(struct tls_memory *m);

/* Keeps a session for the next connection; one that is too long is not kept. */
void tls_memory_keep(struct tls_memory *m, const struct tls_memory_key *key,
    struct slice session, uint64_t now_s);
/* The session, valid until the next call, or an empty slice. */
struct slice tls_memory_session(
    struct tls_memory *m, const struct tls_memory_key *key, uint64_t now_s);

/* TLS fails with this host, and without it does well. */
void tls_memory_break(
    struct tls_memory *m, const struct tls_memory_key *key, uint64_t now_s);
bool tls_memory_is_broken(
    struct tls_memory *m, const struct tls_memory_key *key, uint64_t now_s);

void tls_memory_forget(struct tls_memory *m, const struct tls_memory_key *key);
void tls_memory_forget_all(struct tls_memory *m);

#endif
