/* sendmail.h -- the old command by which programs of this machine hand in mail.
 */
#ifndef CORE_SENDMAIL_H
#define CORE_SENDMAIL_H

#include <stdbool.h>

/* `smarthost sendmail ...`, or the program's own name is sendmail. */
bool sendmail_is_meant(int argc, char **argv);

/* Reads a message from standard input and submits it to the relay.  The exit
 * status is what sendmail's callers know: 0, 64, 67, 69, 75 ... */
int sendmail_run(int argc, char **argv);

#endif
