/* http.h -- libmicrohttpd, loaded by those who answer HTTP.
 *
 * It brings GnuTLS, whose set-up takes 2.4 MiB of a process that is linked with
 * it; a relay without config.admin.listen has no use for it. */
#ifndef SMARTHOST_CORE_HTTP_H
#define SMARTHOST_CORE_HTTP_H

#include <microhttpd.h>

/* Its calls, by the names of the library's. */
struct http {
	__typeof__(&MHD_start_daemon) start_daemon;
	__typeof__(&MHD_stop_daemon) stop_daemon;
	__typeof__(&MHD_create_response_from_buffer) create_response;
	__typeof__(&MHD_add_response_header) add_response_header;
	__typeof__(&MHD_queue_response) queue_response;
	__typeof__(&MHD_destroy_response) destroy_response;
};

/* Loads the library (once; it stays).  NULL, or why it cannot be had: a
 * sentence that lives until the next call. */
const char *http_load(struct http *http);

#endif
