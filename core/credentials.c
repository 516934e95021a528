/* credentials.c -- what all workers have in common of certificates, tickets and
 * users.
 *
 * Whether certificates are good is found out here, once, before the workers get
 * a configuration that names them. */
#include "core/credentials.h"

#include <sys/random.h>
#include <sysexits.h>
#include <time.h>

#include "core/certificates.h"

#define LOOK_S 86400

static uint64_t wall_s(void)
{
	return (uint64_t)time(NULL);
}

bool credentials_try(struct credentials *t, const struct config *c,
    struct log *log, char *why, size_t why_len)
{
	struct tls_context *fresh = NULL;

	if (certificates_wanted(c)) {
		if (certificates_prepare(c, wall_s(), log, why, why_len) < 0)
			return false;
		fresh = certificates_context(c, NULL, why, why_len);
		if (fresh == NULL)
			return false;
		certificates_look(fresh, wall_s(), log);
	}
	t->looked_s = wall_s();
	if (t->tls != NULL)
		tls_context_give(t->tls);
	t->tls = fresh;
	return true;
}

int credentials_open(
    struct credentials *t, const struct config *c, struct log *log)
{
	char why[CERTIFICATES_WHY_MAX] = "";
	size_t key_len = sizeof(t->common.users_key);

	*t = (struct credentials){.tls = NULL};
	if (getrandom(t->common.users_key, key_len, 0) != (ssize_t)key_len)
		return EX_OSERR;
	t->common.ticket_keys = tls_ticket_keys_open();
	if (t->common.ticket_keys == NULL)
		return EX_OSERR;
	if (credentials_try(t, c, log, why, sizeof(why)))
		return 0;
	log_begin(log, LOG_ERROR, "start_failed");
	log_str(log, "what", "certificate");
	log_str(log, "reply", why);
	log_end(log);
	return EX_CONFIG;
}

void credentials_close(struct credentials *t)
{
	if (t->tls != NULL)
		tls_context_give(t->tls);
	t->tls = NULL;
}

void credentials_look(struct credentials *t, struct log *log)
{
	uint64_t now_s = wall_s();

	if (t->tls == NULL || now_s < t->looked_s + LOOK_S)
		return;
	t->looked_s = now_s;
	certificates_look(t->tls, now_s, log);
}
