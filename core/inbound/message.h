/* message.h -- a message that is being received, from DATA to its commit. */
#ifndef CORE_INBOUND_MESSAGE_H
#define CORE_INBOUND_MESSAGE_H

#include "core/inbound/service.h"
#include "dkim/body.h"
#include "proto/header.h"

/* A piece from the machine is never longer than one receive buffer; so much
 * may stand behind a full spool piece. */
#define INBOUND_MESSAGE_ROOM (SPOOL_PIECE_MAX + 20480)

struct inbound;

struct inbound_message {
	struct draft draft;
	struct header header;
	struct header_from from; /* when it is signed by it, or restricted */
	struct dkim_body hashes; /* of the body */
	uint64_t spooled_len;	 /* of the body, in pieces */
	struct spool_wait wait;
	struct inbound *session;
	uint64_t begun_ms;
	bool torn;	 /* its header section has no end, see header.h */
	char flaw[128];	 /* why it is refused, in the reply */
	bool failed;	 /* a piece could not be written: refused at the end */
	struct buf body; /* what is not yet in the spool; over `room` */
	uint8_t room[INBOUND_MESSAGE_ROOM];
};

enum message_put {
	MESSAGE_PUT,	 /* taken */
	MESSAGE_PUT_WAIT /* taken, but a piece is being written: wait */
};

/* NULL: no memory, or the spool takes nothing. */
struct inbound_message *message_begin(struct inbound *c);
/* Bytes of the body in stored form; on WAIT `done` runs later. */
enum message_put message_put(struct inbound_message *m, struct slice piece,
    void (*done)(struct spool_wait *w, int result));
/* After WAIT's done(0): whether another piece must be written first. */
enum message_put message_written(
    struct inbound_message *m, void (*done)(struct spool_wait *w, int result));
/* All of it has come: its header can be judged. */
void message_is_whole(struct inbound_message *m);
/* The envelope, our header fields and the rest of the body go to the spool.
 * False: refused, with *reply; else done() runs when it is durable. */
bool message_commit(struct inbound_message *m, struct reply *reply,
    void (*done)(struct spool_wait *w, int result));
/* Gives the memory back; a draft that was not committed is dropped. */
void message_end(struct inbound_message *m);

#endif
