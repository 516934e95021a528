/* main.c -- the way in.
 *
 * VERSION is given by the Makefile to this file alone, so that a commit
 * compiles one file anew. */
#include "core/command.h"

int main(int argc, char **argv)
{
	return command_run(argc, argv, VERSION);
}
