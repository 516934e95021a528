#!/bin/sh
# Exim, Debian's exim4-daemon-light.
. "$(dirname "$0")/common.sh"

peer_install() {
	unpack exim4-daemon-light exim4-base
	build_shim
}
peer_version() { echo "Exim $(package exim4-daemon-light) (Debian)"; }
peer_durable() {
	echo "yes: fsync of both spool files before the 250"
}
peer_tuning() { echo "$here/exim.conf"; }

settings() {	# LISTEN_PORT SINK_PORT DIR
	[ "${TLS:-none}" = none ] || echo 'TLS = yes'
	[ "${DKIM:-none}" = none ] || echo 'DKIM = yes'
	sed -e "s/@LISTEN@/$1/" -e "s/@SINK@/$2/" -e "s,@DIR@,$3,g" \
	    -e "s,@ROOT@,$root,g" -e "s/@LIMIT@/$(limit)/" \
	    -e "s,@CRT@,${TLS_CRT:-}," -e "s,@KEY@,${TLS_KEY:-}," \
	    -e "s,@DKIMKEY@,$3/dkim.key," -e "s/@RETRY@/${RETRY:-5m}/" \
	    "$here/exim.conf"
}

peer_start() {	# LISTEN_PORT SINK_PORT DIR
	need_namespace
	refuse_workers
	mkdir -p "$3/etc/exim4" "$3/spool" "$3/log"
	settings "$@" >"$3/exim.conf"
	# The user that is compiled in, and a configuration that it may use.
	users "$3" Debian-exim
	echo "$3/exim.conf" >"$3/etc/exim4/trusted_configs"
	chown "$(user "$3" Debian-exim)" "$3/spool" "$3/log"
	[ -z "${DKIM_KEY:-}" ] || install -m 600 \
	    -o "$(user "$3" Debian-exim | cut -d: -f1)" "$DKIM_KEY" "$3/dkim.key"
	LD_PRELOAD="$root/shim.so" LD_LIBRARY_PATH=$(libraries) \
	    "$here/in_namespace" "$3" -- \
	    "$root/usr/sbin/exim4" -C "$3/exim.conf" -bdf -q5m \
	    >"$3/log.start" 2>&1 </dev/null &
	echo $! >"$3/pid"
	await "$1" "$3/pid" "$3/log.start"
}
peer_stop() { end_namespace "$1"; }
peer_pids() { namespace_pids "$1"; }

dispatch "$@"
