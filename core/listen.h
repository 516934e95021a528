/* listen.h -- listening sockets, made by the supervisor before it gives up its
 * privileges, one set for each worker (SO_REUSEPORT). */
#ifndef CORE_LISTEN_H
#define CORE_LISTEN_H

#include <stdbool.h>

#include "core/base/log.h"
#include "core/config/config.h"
#include "core/inbound/service.h"

#define LISTEN_SOCKETS_MAX 64
#define LISTEN_BACKLOG 4096 /* connections that wait to be accepted */

struct listen_sockets {
	unsigned count;
	int fd[LISTEN_SOCKETS_MAX];
	enum listener_kind kind[LISTEN_SOCKETS_MAX];
};

/* Opens what the configuration names for mail.  The first worker's sockets are
 * opened first: that fails while another program listens there, even another
 * relay.  False: it was logged which address cannot be listened on and why;
 * what was opened is closed. */
bool listen_open(struct listen_sockets *sockets, const struct config *config,
    bool first, struct log *log);
/* The same for config.admin.listen. */
bool listen_open_admin(struct listen_sockets *sockets,
    const struct config *config, struct log *log);
void listen_close(struct listen_sockets *sockets);

#endif
