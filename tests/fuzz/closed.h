/* closed.h -- a configuration to read into, that can open no file. */
#ifndef TESTS_FUZZ_CLOSED_H
#define TESTS_FUZZ_CLOSED_H

#include "core/base/check.h"
#include "core/config/config.h"

static inline struct config *closed_config(void)
{
	struct config_arguments arguments = {.dir = "/nonexistent"};
	struct config *empty = config_load(&arguments, stderr);

	check(empty != NULL);
	arguments.bundle = config_bundle(empty);
	struct config *c = config_load(&arguments, stderr);
	check(c != NULL);
	config_free(empty);
	return c;
}

#endif
