/* rsa_vault.h -- memory for secrets.
 *
 * One reserved range of addresses that grows from its lower end: never part of
 * a core dump, not inherited by a child, locked into memory as far as the limit
 * allows, and wiped before any of it is used again. */
#ifndef DKIM_RSA_VAULT_H
#define DKIM_RSA_VAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/check.h"

/* What take() hands out is rounded up to, and aligned at, this: a zmm. */
#define RSA_VAULT_GRAIN 64
/* The largest piece that can be given back. */
#define RSA_VAULT_PIECE_MAX (32 << 10)

struct rsa_vault {
	uint8_t *base;
	size_t reserved; /* bytes of addresses */
	size_t usable;	 /* of these are memory */
	size_t used;	 /* of these were handed out at some time */
	bool locked;	 /* all that is usable */
	void *free[RSA_VAULT_PIECE_MAX / RSA_VAULT_GRAIN + 1]; /* by length */
};

/* Returns 0 or -ENOMEM. */
MUST_USE int rsa_vault_init(struct rsa_vault *v, size_t reserved);
/* Wipes all of it. */
void rsa_vault_deinit(struct rsa_vault *v);
/* Zeroed bytes, or NULL. */
MUST_USE void *rsa_vault_take(struct rsa_vault *v, size_t len);
/* Wipes; `len` as it was taken, at most RSA_VAULT_PIECE_MAX. */
void rsa_vault_give(struct rsa_vault *v, void *piece, size_t len);

#endif
