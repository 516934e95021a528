/* command.h -- what `smarthost WORD ...` can be asked to do. */
#ifndef CORE_COMMAND_H
#define CORE_COMMAND_H

/* Does what the words say and returns the exit status (sysexits.h): 0, 64
 * usage, 69 cannot run, 78 configuration, or the command's own. */
int command_run(int argc, char **argv, const char *version);

#endif
