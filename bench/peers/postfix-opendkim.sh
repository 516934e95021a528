#!/bin/sh
# Postfix with OpenDKIM as a milter, both Debian's.
. "$(dirname "$0")/common.sh"
. "$here/postfix.inc"

peer_install() { unpack postfix opendkim; }
peer_version() {
	echo "Postfix $(package postfix), OpenDKIM $(package opendkim) (Debian)"
}
peer_durable() {
	echo "yes: fsync of the queue file before the 250"
}
peer_tuning() { echo "$here/opendkim.conf"; }

peer_start() {	# LISTEN_PORT SINK_PORT DIR
	[ "${DKIM:-none}" != none ] || refuse "without signatures it is postfix"
	postfix_settings "$@"
	fill "$@" <"$here/opendkim.cf" >>"$3/etc/main.cf"
	chown mail "$3"
	install -o mail -m 600 "$DKIM_KEY" "$3/dkim.key"
	sed -e "s,@DIR@,$3," -e "s,@KEY@,$3/dkim.key," \
	    "$here/opendkim.conf" >"$3/opendkim.conf"
	LD_LIBRARY_PATH=$(libraries) "$root/usr/sbin/opendkim" -f \
	    -x "$3/opendkim.conf" >"$3/log.opendkim" 2>&1 </dev/null &
	echo $! >"$3/pid.opendkim"
	tries=0
	until [ -S "$3/opendkim.sock" ]; do
		kill -0 "$(cat "$3/pid.opendkim")" && [ $tries -lt 200 ] || {
			cat "$3/log.opendkim" >&2
			return 1
		}
		tries=$((tries + 1))
		sleep 0.05
	done
	postfix_start "$@"
}
peer_stop() { end "$1/pid" "$1/pid.opendkim"; }
peer_pids() { pids_of "$1/pid" "$1/pid.opendkim"; }

dispatch "$@"
