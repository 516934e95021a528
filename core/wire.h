/* wire.h -- one connection of a command-line tool: blocking, with a limit for
 * each wait, in clear or inside of TLS. */
#ifndef CORE_WIRE_H
#define CORE_WIRE_H

#include "core/base/socket_address.h"
#include "tls/tls.h"

#define WIRE_ROOM 32768

struct wire {
	int fd; /* -1: none */
	int wait_ms;
	struct tls *tls; /* NULL: in clear */
	union socket_address peer;
	/* private */
	size_t raw_len; /* received, and not yet looked at */
	uint8_t raw[WIRE_ROOM];
	uint8_t sealed[WIRE_ROOM]; /* TLS: on its way out */
};

enum wire_opened {
	WIRE_OPEN,
	WIRE_NO_HOST, /* the name is not known */
	WIRE_LATER,   /* nor is it now: the resolver does not answer */
	WIRE_REFUSED, /* no address of it takes the connection */
};

/* Connects to the first address of `host` (a name or an address) that answers.
 * *why: a static sentence unless WIRE_OPEN. */
enum wire_opened wire_open(struct wire *w, const char *host, uint16_t port,
    unsigned wait_s, const char **why);
void wire_close(struct wire *w);

/* NULL: TLS is on.  Else a sentence that stays until wire_close. */
const char *wire_start_tls(
    struct wire *w, struct tls_context *context, const struct tls_peer *peer);

/* Sends all of it, and keeps what comes meanwhile; 0 or -errno. */
MUST_USE int wire_send(struct wire *w, struct slice bytes);

/* Waits for bytes, and puts them into `plain`; their number, 0 at the end, or
 * -errno (-ETIMEDOUT; -EPROTO: tls_error(w->tls)). */
MUST_USE int wire_receive(struct wire *w, struct buf *plain);

/* Whether something was received that wire_receive gives without waiting. */
bool wire_has_input(const struct wire *w);

#endif
