/* penalty.h -- failed logins make the next answer to the same address slower.
 *
 * After the first failure the next attempt from there is answered after 1 s,
 * then 2, 4 ... 30 s, whether it is good or not: so a right password always
 * works, only later, and nobody else notices.  What waits for an answer counts:
 * many attempts at once wait for each other, up to the same 30 s.  A failure is
 * forgiven each minute.  Addresses of one IPv6 network (/64) are one client.
 *
 * The table has a fixed room of small sets; where one is full, who has failed
 * least makes room. */
#ifndef CORE_INBOUND_PENALTY_H
#define CORE_INBOUND_PENALTY_H

#include <stdint.h>

#include "core/base/pool.h"
#include "core/base/socket_address.h"

#define PENALTY_FIRST_MS 1000
#define PENALTY_MAX_MS 30000
#define PENALTY_FORGIVEN_MS 60000

struct penalty_set;
struct penalty {
	struct pool pool;
	struct penalty_set *sets;
	uint64_t seed;
};

/* Returns 0 or -ENOMEM. */
MUST_USE int penalty_open(struct penalty *p, uint64_t seed);
void penalty_close(struct penalty *p);

/* An attempt came: how long its answer is to wait.  0 for whoever has not
 * failed. */
uint64_t penalty_delay_ms(
    struct penalty *p, const union socket_address *address, uint64_t now_ms);
/* It was wrong. */
void penalty_failed(
    struct penalty *p, const union socket_address *address, uint64_t now_ms);

#endif
