/* settings.h -- from struct config to what each part wants to know.
 *
 * One set of settings is one configuration that is in use: by sessions that
 * began with it, and by deliveries until the next reload. */
#ifndef CORE_SETTINGS_H
#define CORE_SETTINGS_H

#include "core/config/config.h"
#include "core/inbound/service.h"
#include "core/inbound/users.h"
#include "core/outbound/scheduler.h"
#include "core/outbound/service.h"

/* What all workers have in common, made before they are forked. */
struct settings_common {
	struct tls_ticket_keys *ticket_keys;
	uint8_t users_key[HASH_SHA256_LEN]; /* of users.h */
};

struct settings {
	struct config *config;
	struct users users;
	struct sender_rules senders;
	struct inbound_settings inbound;
	struct outbound_settings outbound;
	struct pool *pool; /* where it came from */
	bool in_use;	   /* the newest: kept even without sessions */
};

/* NULL, and *why: `pool` (of struct settings) is empty, which is too many
 * reloads while old sessions are still there; or a certificate is no good.
 * Takes the configuration over, unless NULL. */
struct settings *settings_take(struct pool *pool, struct config *config,
    const struct settings_common *common, char *why, size_t why_len);

/* config.loop. */
enum loop_backend settings_loop(const struct config *c);

void settings_scheduler(const struct config *c, struct ledger *ledger,
    unsigned column, unsigned connections_max, uint64_t seed,
    struct scheduler_options *options);

#endif
