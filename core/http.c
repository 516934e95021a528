/* http.c -- libmicrohttpd, loaded by those who answer HTTP. */
#include "core/http.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>

/* The ABI that Debian 12 and 13 have (microhttpd.h's is the same). */
#define LIBRARY "libmicrohttpd.so.12"

/* POSIX has a function's address in a void *; C has no cast for that. */
static bool find(void *library, const char *name, void *function)
{
	void *at = dlsym(library, name);

	*(void **)function = at;
	return at != NULL;
}

const char *http_load(struct http *http)
{
	void *lib = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

	if (lib != NULL && find(lib, "MHD_start_daemon", &http->start_daemon) &&
	    find(lib, "MHD_stop_daemon", &http->stop_daemon) &&
	    find(lib, "MHD_create_response_from_buffer",
		&http->create_response) &&
	    find(lib, "MHD_add_response_header", &http->add_response_header) &&
	    find(lib, "MHD_queue_response", &http->queue_response) &&
	    find(lib, "MHD_destroy_response", &http->destroy_response))
		return NULL;
	return dlerror();
}
