/* postconf_master.h -- the few entries of master.cf that mean something. */
#ifndef CORE_CONFIG_POSTCONF_MASTER_H
#define CORE_CONFIG_POSTCONF_MASTER_H

#include "core/config/postconf.h"

struct master_edit {
	struct config *config;
	struct complaints *complaints;
	struct origin where;
};

/* "submission/inet=submission inet n - n - - smtpd -v" */
void master_service(const struct master_edit *e, struct slice text);
/* "submission/inet/smtpd_tls_security_level=encrypt" */
void master_parameter(const struct master_edit *e, struct slice text);

#endif
