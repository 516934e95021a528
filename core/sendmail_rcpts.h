/* sendmail_rcpts.h -- the recipients of sendmail, from its words and from a
 * message's fields. */
#ifndef CORE_SENDMAIL_RCPTS_H
#define CORE_SENDMAIL_RCPTS_H

#include "core/base/pool.h"
#include "core/submission.h"

#define SENDMAIL_ADDRESS_MAX 600

struct sendmail_rcpts {
	const char *hostname; /* for addresses without a domain */
	char wrong[800];      /* "": nothing; else a sentence */
	uint32_t count;
	struct smtp_client_rcpt at[SUBMISSION_RCPTS_MAX];
	struct pool pool; /* of what they look at */
};

/* `hostname` is read when addresses are added.  False: no memory. */
MUST_USE bool sendmail_rcpts_init(
    struct sendmail_rcpts *r, const char *hostname);
void sendmail_rcpts_deinit(struct sendmail_rcpts *r);

/* The addresses of a field's body, or of a word: "a@b, Joe <c@d>, root".  Those
 * that are there already are not added again. */
void sendmail_rcpts_add_list(struct sendmail_rcpts *r, struct slice list);

#endif
