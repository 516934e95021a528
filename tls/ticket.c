/* ticket.c -- see ticket.h.
 *
 * Time is cut into epochs of TICKET_KEY_S, each with a key of its own, drawn by
 * the worker that first needs it.  The keys lie in memory that all workers
 * share, three places in turn: this epoch's, the last one's, and one whose
 * tickets nobody accepts any more, which the next epoch takes.  So nothing has
 * to be locked: a place is claimed by exchanging its epoch, filled, and then
 * said to be ready; whoever reads looks at that before and after.  Should a
 * worker die in between, that epoch goes on with the last one's key.
 *
 * A ticket is sealed with ChaCha20-Poly1305; the key's name and the nonce are
 * authenticated with it. */
#include "tls/ticket.h"

#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>

#define NONCE_LEN 12
#define TAG_LEN 16
#define PLACES 3

struct ticket_place {
	_Atomic uint64_t claimed; /* the epoch that has it, or will */
	_Atomic uint64_t ready;
	struct ticket_secret secret;
};

struct tls_ticket_keys {
	struct ticket_place places[PLACES];
};

static uint64_t epoch_of(uint64_t now_s)
{
	return now_s / TICKET_KEY_S + 1;
}

static bool draw(void *at, size_t len)
{
	return getrandom(at, len, 0) == (ssize_t)len;
}

static void make(struct tls_ticket_keys *keys, uint64_t epoch)
{
	struct ticket_place *place = &keys->places[epoch % PLACES];
	uint64_t claimed = atomic_load(&place->claimed);

	if (claimed >= epoch ||
	    !atomic_compare_exchange_strong(&place->claimed, &claimed, epoch))
		return;
	atomic_store(&place->ready, 0);
	if (draw(&place->secret, sizeof(place->secret)))
		atomic_store(&place->ready, epoch);
}

/* A copy of what was ready all the while. */
static uint64_t look(struct ticket_place *place, struct ticket_secret *out)
{
	uint64_t ready = atomic_load(&place->ready);

	if (ready == 0)
		return 0;
	memcpy(out, &place->secret, sizeof(*out));
	atomic_thread_fence(memory_order_seq_cst);
	return atomic_load(&place->ready) == ready ? ready : 0;
}

struct tls_ticket_keys *tls_ticket_keys_open(void)
{
	struct tls_ticket_keys *keys = mmap(NULL, sizeof(*keys),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (keys == MAP_FAILED)
		return NULL;
	/* Never in a core dump or on a swap device, where that is allowed. */
	(void)madvise(keys, sizeof(*keys), MADV_DONTDUMP);
	(void)mlock(keys, sizeof(*keys));
	make(keys, epoch_of((uint64_t)time(NULL)));
	return keys;
}

bool ticket_keys_current(
    struct tls_ticket_keys *keys, uint64_t now_s, struct ticket_secret *out)
{
	uint64_t epoch = epoch_of(now_s);
	uint64_t newest = 0;

	make(keys, epoch);
	for (size_t i = 0; i < PLACES; i++) {
		struct ticket_secret secret;
		uint64_t ready = look(&keys->places[i], &secret);

		/* The clock may have been set back: newer ones do, too. */
		if (ready > newest && ready + 1 >= epoch) {
			newest = ready;
			*out = secret;
		}
		explicit_bzero(&secret, sizeof(secret));
	}
	return newest != 0;
}

bool ticket_keys_named(struct tls_ticket_keys *keys, uint64_t now_s,
    const uint8_t *name, struct ticket_secret *out, bool *old)
{
	uint64_t epoch = epoch_of(now_s);

	for (size_t i = 0; i < PLACES; i++) {
		uint64_t ready = look(&keys->places[i], out);

		if (ready != 0 && ready + 1 >= epoch &&
		    memcmp(out->name, name, sizeof(out->name)) == 0) {
			*old = ready < epoch;
			return true;
		}
	}
	explicit_bzero(out, sizeof(*out));
	return false;
}

static int seal_ticket(struct tls_ticket_keys *keys, unsigned char *name,
    unsigned char *iv, unsigned char *mac, unsigned char *ticket, int len)
{
	struct ticket_secret secret;
	uint8_t aad[WOLFSSL_TICKET_NAME_SZ + NONCE_LEN];

	if (!ticket_keys_current(keys, (uint64_t)time(NULL), &secret) ||
	    !draw(iv, WOLFSSL_TICKET_IV_SZ))
		return WOLFSSL_TICKET_RET_FATAL;
	memcpy(name, secret.name, WOLFSSL_TICKET_NAME_SZ);
	memcpy(aad, name, WOLFSSL_TICKET_NAME_SZ);
	memcpy(aad + WOLFSSL_TICKET_NAME_SZ, iv, NONCE_LEN);
	memset(mac, 0, WOLFSSL_TICKET_MAC_SZ);
	int err = wc_ChaCha20Poly1305_Encrypt(
	    secret.key, iv, aad, sizeof(aad), ticket, (word32)len, ticket, mac);

	explicit_bzero(&secret, sizeof(secret));
	return err == 0 ? WOLFSSL_TICKET_RET_OK : WOLFSSL_TICKET_RET_FATAL;
}

static int open_ticket(struct tls_ticket_keys *keys, const unsigned char *name,
    const unsigned char *iv, const unsigned char *mac, unsigned char *ticket,
    int len)
{
	struct ticket_secret secret;
	uint8_t aad[WOLFSSL_TICKET_NAME_SZ + NONCE_LEN];
	bool old;

	if (!ticket_keys_named(keys, (uint64_t)time(NULL), name, &secret, &old))
		return WOLFSSL_TICKET_RET_REJECT;
	memcpy(aad, name, WOLFSSL_TICKET_NAME_SZ);
	memcpy(aad + WOLFSSL_TICKET_NAME_SZ, iv, NONCE_LEN);
	int err = wc_ChaCha20Poly1305_Decrypt(
	    secret.key, iv, aad, sizeof(aad), ticket, (word32)len, mac, ticket);

	explicit_bzero(&secret, sizeof(secret));
	if (err != 0)
		return WOLFSSL_TICKET_RET_REJECT;
	return old ? WOLFSSL_TICKET_RET_CREATE : WOLFSSL_TICKET_RET_OK;
}

int ticket_seal(WOLFSSL *ssl, unsigned char *name, unsigned char *iv,
    unsigned char *mac, int seal, unsigned char *ticket, int in_len,
    int *out_len, void *arg)
{
	struct tls_ticket_keys *keys = arg;

	(void)ssl;
	_Static_assert(NONCE_LEN <= WOLFSSL_TICKET_IV_SZ, "the nonce");
	_Static_assert(TAG_LEN <= WOLFSSL_TICKET_MAC_SZ, "the tag");
	if (in_len <= 0)
		return WOLFSSL_TICKET_RET_REJECT;
	*out_len = in_len;
	return seal ? seal_ticket(keys, name, iv, mac, ticket, in_len)
		    : open_ticket(keys, name, iv, mac, ticket, in_len);
}
