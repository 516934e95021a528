/* smtp_commands.h -- MAIL and RCPT with what the server offers.
 *
 * RFC 1870 (SIZE), 6152 (8BITMIME), 6531 (SMTPUTF8), 3461 (DSN): a parameter is
 * only sent to a server that offers its extension. */
#ifndef PROTO_SMTP_COMMANDS_H
#define PROTO_SMTP_COMMANDS_H

#include <stdbool.h>

#include "core/base/buf.h"
#include "core/base/slice.h"
#include "proto/smtp_client.h"
#include "proto/smtp_offers.h"

/* Whether the address can stand in a command: not too long, and without control
 * characters. */
bool smtp_commands_take_address(struct slice address);

/* Before anything is sent: recipients that cannot be delivered by this server's
 * own offers, or cannot be named, get their outcome (FAILED), the others none.
 * False when none is left. */
bool smtp_commands_prepare(
    const struct smtp_offers *offers, struct smtp_client_transaction *t);

/* The whole command with its CRLF, or `out` overflowed.  The addresses must be
 * such as smtp_commands_take_address takes. */
void smtp_commands_put_mail(struct buf *out, const struct smtp_offers *offers,
    const struct smtp_client_transaction *t);
void smtp_commands_put_rcpt(struct buf *out, const struct smtp_offers *offers,
    const struct smtp_client_rcpt *rcpt);

#endif
