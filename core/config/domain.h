/* domain.h -- domains that may be senders, and the keys that sign for them. */
#ifndef CORE_CONFIG_DOMAIN_H
#define CORE_CONFIG_DOMAIN_H

#include "core/config/fields.h"

/* `domains:`, a list of maps; what earlier sources gave stays. */
void domains_yaml(
    const struct yaml_source *s, unsigned line, const struct node *list);

/* A domain that may be a sender, and has no key of its own. */
void domain_add(struct config *c, struct complaints *complaints,
    struct origin where, struct slice name);

/* When all sources were read: no selector twice in a domain, some domain when
 * one is needed. */
void domains_finish(struct config *c, struct complaints *complaints);

/* As YAML; keys masked. */
void domains_put(const struct config *c, FILE *out);

/* For whoever adds keys: their index.  The PEM's source, the file's or the
 * origin's, is set here. */
struct config_dkim_key *dkim_key_add(struct config *c, const char *name);
void signing_add(struct config *c, enum config_signing_kind kind,
    const char *pattern, unsigned key, struct origin where);

/* Reads a key's file: true when there is something like a private key in it. */
bool dkim_key_read(struct config *c, struct complaints *complaints,
    struct origin where, const char *path, struct config_text *pem);

#endif
