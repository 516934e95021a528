/* proxy.h -- the PROXY protocol header, versions 1 and 2 (receiver's side). */
#ifndef PROTO_PROXY_H
#define PROTO_PROXY_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/base/slice.h"

/* The longest header that is read: v2 with 2 KiB of TLVs. */
#define PROXY_HEADER_MAX 2064

enum proxy_result {
	PROXY_MORE,  /* a good beginning; call again with more bytes */
	PROXY_KNOWN, /* *client is set */
	PROXY_LOCAL, /* LOCAL (v2) or UNKNOWN (v1): the connection's own peer */
	PROXY_BAD,   /* not a header: close without a word */
};

struct proxy_client {
	struct sockaddr_storage address; /* AF_INET or AF_INET6, with port */
	struct sockaddr_storage destination;
};

/* Looks at the bytes received so far (all of them, from the first).  On KNOWN
 * and LOCAL *header_len is how many bytes the header takes; SMTP follows. */
enum proxy_result proxy_decode(
    struct slice in, struct proxy_client *client, size_t *header_len);

#endif
