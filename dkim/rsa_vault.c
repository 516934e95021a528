/* rsa_vault.c -- memory for secrets.
 *
 * Addresses for the largest use are reserved without access; access is given
 * STEP by STEP as pieces are taken, and each step is locked.  The first lock
 * that is refused is the last that is tried: RLIMIT_MEMLOCK is shared with
 * others.  Free pieces of one length form a list; the link is their only byte
 * that is not zero. */
#include "dkim/rsa_vault.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define STEP ((size_t)64 << 10)

static size_t rounded(size_t len, size_t unit)
{
	return (len + unit - 1) / unit * unit;
}

int rsa_vault_init(struct rsa_vault *v, size_t reserved)
{
	reserved = rounded(reserved, STEP);
	void *base = mmap(NULL, reserved, PROT_NONE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (base == MAP_FAILED)
		return -ENOMEM;
	/* A kernel that knows neither would be too old for io_uring. */
	if (madvise(base, reserved, MADV_DONTDUMP) != 0 ||
	    madvise(base, reserved, MADV_DONTFORK) != 0) {
		munmap(base, reserved);
		return -ENOMEM;
	}
	*v = (struct rsa_vault){
	    .base = base, .reserved = reserved, .locked = true};
	return 0;
}

void rsa_vault_deinit(struct rsa_vault *v)
{
	if (v->base == NULL)
		return;
	explicit_bzero(v->base, v->used);
	munmap(v->base, v->reserved);
	*v = (struct rsa_vault){0};
}

static bool grow(struct rsa_vault *v, size_t need)
{
	size_t usable = rounded(need, STEP);

	if (usable > v->reserved)
		return false;
	if (mprotect(v->base, usable, PROT_READ | PROT_WRITE) != 0)
		return false;
	if (v->locked)
		v->locked = mlock(v->base + v->usable, usable - v->usable) == 0;
	v->usable = usable;
	return true;
}

void *rsa_vault_take(struct rsa_vault *v, size_t len)
{
	len = rounded(len, RSA_VAULT_GRAIN);
	check(len > 0);
	if (len <= RSA_VAULT_PIECE_MAX) {
		void **list = &v->free[len / RSA_VAULT_GRAIN];

		if (*list != NULL) {
			void *piece = *list;

			*list = *(void **)piece;
			*(void **)piece = NULL;
			return piece;
		}
	}
	if (len > v->reserved - v->used)
		return NULL;
	if (v->used + len > v->usable && !grow(v, v->used + len))
		return NULL;
	v->used += len;
	return v->base + v->used - len;
}

void rsa_vault_give(struct rsa_vault *v, void *piece, size_t len)
{
	len = rounded(len, RSA_VAULT_GRAIN);
	check(len > 0 && len <= RSA_VAULT_PIECE_MAX);
	check((uint8_t *)piece >= v->base);
	check((size_t)((uint8_t *)piece - v->base) + len <= v->used);
	void **list = &v->free[len / RSA_VAULT_GRAIN];

	explicit_bzero(piece, len);
	*(void **)piece = *list;
	*list = piece;
}
