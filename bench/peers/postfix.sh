#!/bin/sh
# Postfix, Debian's.
. "$(dirname "$0")/common.sh"
. "$here/postfix.inc"

peer_install() { unpack postfix; }
peer_version() { echo "Postfix $(package postfix) (Debian)"; }
peer_durable() {
	echo "yes: fsync of the queue file before the 250"
}
peer_tuning() { echo "$here/postfix.cf"; }

peer_start() {	# LISTEN_PORT SINK_PORT DIR
	refuse_dkim "see postfix-opendkim"
	postfix_settings "$@"
	postfix_start "$@"
}
peer_stop() { end "$1/pid"; }
peer_pids() { pids_of "$1/pid"; }

dispatch "$@"
