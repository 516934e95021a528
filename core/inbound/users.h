/* users.h -- who may log in, found by name.
 *
 * Made once for each configuration; its strings stay the configuration's. */
#ifndef CORE_INBOUND_USERS_H
#define CORE_INBOUND_USERS_H

#include "core/base/map.h"
#include "core/base/pool.h"
#include "core/config/config.h"
#include "proto/secret.h"

struct user {
	struct map_node node;
	struct slice name;
	const struct string_list *allowed_from;
	struct sasl_secret secret;
	struct secret_memo memo;
};

struct users {
	struct map map;
	struct pool pool;
	struct user *at; /* count of them, one behind the other */
	size_t count;
	unsigned mechanisms; /* 1 << sasl_mechanism: those that at least one
			      * user can log in with */
	uint64_t seed;
	uint8_t key[HASH_SHA256_LEN];
};

/* What is wrong with a user's name or password; NULL: nothing.  For whoever
 * reads a configuration, before it is used. */
const char *users_judge(const struct config_user *user);

/* `key`: random bytes, the same in all workers, so that a name that nobody has
 * looks the same to a client whichever it reaches.  Returns 0 or -ENOMEM. */
MUST_USE int users_open(struct users *u, const struct config_user *users,
    size_t count, const uint8_t key[HASH_SHA256_LEN]);
void users_close(struct users *u);

/* NULL: nobody is called so.  Names are compared byte by byte. */
struct user *users_find(const struct users *u, struct slice name);

/* What sasl_server_secret() wants.  For a name that nobody has it is a decoy in
 * `room`: kind and cost are those of one of the users, always the same, and no
 * password fits. */
const struct sasl_secret *users_secret(
    const struct users *u, struct slice name, struct sasl_secret *room);

#endif
