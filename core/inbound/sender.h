/* sender.h -- who may send as whom: config.sender_restrictions.
 *
 * "domain": every address must be of a listed domain or one below it.
 * "email": of the user's allowed_from ("a@d", or "@d" for a whole domain but
 * none below it); a user without a list may be anybody, a client that has not
 * logged in nobody.  Domains are the same in any case and as A-label or
 * U-label; local parts in any case, quoted or not, as Postfix has it for its
 * login maps.
 *
 * The null sender passes, of whom nothing can be abused; the message's own From
 * is judged all the same. */
#ifndef CORE_INBOUND_SENDER_H
#define CORE_INBOUND_SENDER_H

#include "core/base/buf.h"
#include "core/base/map.h"
#include "core/base/pool.h"
#include "core/config/config.h"
#include "core/inbound/users.h"
#include "proto/address.h"
#include "proto/header.h"

struct sender_rules {
	enum sender_restrictions kind;
	uint64_t seed;
	struct map map; /* of domains, with "domain" only */
	struct pool pool;
};

enum sender_verdict {
	SENDER_ALLOWED,
	SENDER_LOGIN_FIRST, /* 530 5.7.0 */
	SENDER_REFUSED,	    /* 553 5.7.1, of the header 550 5.7.1; the text says
			     * why and names the address */
};
#define SENDER_TEXT_MAX 256 /* room for a text; printable ASCII */

/* The list is copied.  Returns 0 or -ENOMEM. */
MUST_USE int sender_open(struct sender_rules *r, enum sender_restrictions kind,
    const struct string_list *domains, uint64_t seed);
void sender_close(struct sender_rules *r);

/* `user`: who logged in, or NULL.  `from`: of MAIL; full.len 0 for <>. */
enum sender_verdict sender_judge_envelope(const struct sender_rules *r,
    const struct user *user, const struct address *from, struct buf *text);

/* Whether anything in the message could be refused: then header_keep_from. */
bool sender_reads_header(const struct sender_rules *r, const struct user *user);
/* When the message is all there.  A message without From, with two, or
 * with one that cannot be read with certainty is refused. */
enum sender_verdict sender_judge_header(const struct sender_rules *r,
    const struct user *user, const struct header_from *from, struct buf *text);

#endif
