/* notify.h -- what a service manager is told (sd_notify(3)): systemd's
 * Type=notify-reload, and whoever else understands $NOTIFY_SOCKET. */
#ifndef CORE_NOTIFY_H
#define CORE_NOTIFY_H

#include <stdint.h>

/* All three are without effect when nobody listens. */
void notify_ready(unsigned workers);
/* Followed by notify_ready() when it is over. */
void notify_reloading(void);
void notify_stopping(void);

#endif
