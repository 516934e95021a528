/* control.h -- the worker's end of `smarthost queue`: a local socket.
 *
 * A stream socket `control` in the shard's directory (0600).  The client sends
 * one line: list | show ID | retry | retry ID | delete ID.  The answer is
 * lines, each behind a status byte: ' ' = a line of the answer, '!' = an error;
 * then
 * "." alone, and the connection is closed.
 *
 * A row of `list`, separated by tabs: id, received (seconds since 1970), bytes,
 * recipients left, attempts, due (seconds since 1970; 0 = now or being
 * delivered), destinations (by comma), sender, the destination's last error. */
#ifndef CORE_CONTROL_H
#define CORE_CONTROL_H

#include "core/base/buf.h"
#include "core/base/loop.h"
#include "core/outbound/service.h"
#include "spool/envelope.h"

#define CONTROL_SESSIONS_MAX 8
#define CONTROL_OUT_ROOM 65536
#define CONTROL_LINE_MAX 200
#define CONTROL_ID_MAX 8000000

struct control_session;

struct control {
	struct outbound_service *service;
	struct op accept;
	struct timer again; /* after EMFILE and the like */
	int fd; /* -1 = not open */
	char path[32];
	struct pool sessions;
};

MUST_USE int control_open(
    struct control *c, struct outbound_service *service, unsigned shard);
void control_close(struct control *c);

#endif
