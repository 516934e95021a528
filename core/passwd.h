/* passwd.h -- `smarthost passwd`: a password becomes a line of configuration.
 */
#ifndef CORE_PASSWD_H
#define CORE_PASSWD_H

/* Reads a password from standard input, twice and unseen from a terminal, one
 * line from anything else; prints its {SCRAM-SHA-256} verifier, behind the
 * user's name (a line of users.d) unless `user` is NULL.  Returns the program's
 * status. */
int passwd_run(const char *user);

#endif
