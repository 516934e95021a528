/* ticket.h -- the keys with which a server seals what a client brings back. */
#ifndef TLS_TICKET_H
#define TLS_TICKET_H

#include <stdbool.h>
#include <stdint.h>

#include "tls/tls.h"
#include "tls/wolfssl.h"

/* A key makes tickets this long and opens them as long again. */
#define TICKET_KEY_S (6 * 3600)

struct ticket_secret {
	uint8_t name[WOLFSSL_TICKET_NAME_SZ];
	uint8_t key[32];
};

/* The key to seal with at this time.  False: there is none. */
bool ticket_keys_current(
    struct tls_ticket_keys *keys, uint64_t now_s, struct ticket_secret *out);

/* The key of this name, when it still opens tickets; *old: another one seals by
 * now. */
bool ticket_keys_named(struct tls_ticket_keys *keys, uint64_t now_s,
    const uint8_t *name, struct ticket_secret *out, bool *old);

/* For wolfSSL (SessionTicketEncCb); its argument is the keys. */
int ticket_seal(WOLFSSL *ssl, unsigned char *name, unsigned char *iv,
    unsigned char *mac, int seal, unsigned char *ticket, int in_len,
    int *out_len, void *arg);

#endif
