/* user.h -- who may authenticate: users of YAML, of users.d, of SH_AUTH. */
#ifndef CORE_CONFIG_USER_H
#define CORE_CONFIG_USER_H

#include "core/config/fields.h"

/* `users:`, a list of maps; what earlier sources gave stays. */
void users_yaml(
    const struct yaml_source *s, unsigned line, const struct node *list);

/* "name:password", as SH_AUTH has it; clients must then authenticate. */
void users_variable(struct config *c, struct complaints *complaints,
    struct origin where, struct slice value);

/* A file of users.d: "name password" in each line. */
void users_table(struct config *c, struct complaints *complaints,
    const char *name, struct slice text);

/* When all sources were read: no name twice, somebody when it is needed. */
void users_finish(struct config *c, struct complaints *complaints);

/* As YAML, one user a line behind `indent` blanks; passwords masked. */
void users_put(const struct config *c, FILE *out);

#endif
