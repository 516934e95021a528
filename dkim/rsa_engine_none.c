/* rsa_engine_none.c -- for architectures that we have no kernels for. */
#include "dkim/rsa_engine.h"

const struct rsa_size *rsa_engine_find(const char **why)
{
	*why = "there is no kernel for this architecture";
	return NULL;
}
