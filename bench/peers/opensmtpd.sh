#!/bin/sh
# OpenSMTPD, Debian's.
. "$(dirname "$0")/common.sh"

peer_install() {
	unpack opensmtpd
	build_shim
}
peer_version() { echo "OpenSMTPD $(package opensmtpd) (Debian)"; }
peer_durable() {
	echo "NO: queue files are not flushed before the 250"
}
peer_tuning() { echo "$here/smtpd.conf"; }

settings() {	# LISTEN_PORT SINK_PORT DIR
	pki='' tls='' scheme=smtp+notls
	[ "${TLS:-none}" = none ] || {
		pki="pki bench cert \"$3/tls.crt\"\npki bench key \"$3/tls.key\""
		tls='tls pki bench'
		scheme=smtp
	}
	sed -e "s/@LISTEN@/$1/" -e "s/@SINK@/$2/" -e "s/@LIMIT@/$(limit)/" \
	    -e "s,@PKI@,$pki," -e "s/@TLS@/$tls/" -e "s/@SCHEME@/$scheme/" \
	    "$here/smtpd.conf"
}

peer_start() {	# LISTEN_PORT SINK_PORT DIR
	need_namespace
	refuse_workers
	refuse_dkim "OpenSMTPD itself does not sign"
	# Keys are used by a process of their own, through an engine that fails
	# with an ECDSA key and OpenSSL 3 ("EVP lib").
	[ "${TLS:-none}" = none ] || openssl rsa -in "$TLS_KEY" -noout \
	    2>/dev/null || refuse "OpenSMTPD 6.8 cannot use an ECDSA key"
	[ -z "${RETRY:-}" ] || refuse "OpenSMTPD's retries cannot be set"
	mkdir -p "$3/etc" "$3/spool" "$3/run" "$3/empty"
	chmod 711 "$3/spool"
	settings "$@" >"$3/smtpd.conf"
	[ "${TLS:-none}" = none ] || {
		install -m 600 "$TLS_KEY" "$3/tls.key"
		install -m 644 "$TLS_CRT" "$3/tls.crt"
	}
	users "$3" opensmtpd opensmtpq
	echo relay.bench.example >"$3/etc/mailname"
	# Clients' names are looked up always: in /etc/hosts, not in the DNS.
	echo 'lookup file' >"$3/etc/resolv.conf"
	LD_PRELOAD="$root/shim.so" LD_LIBRARY_PATH=$(libraries) \
	    "$here/in_namespace" "$3" /var/spool/smtpd="$3/spool" \
	    /var/lib/opensmtpd/empty="$3/empty" /run="$3/run" -- \
	    "$root/usr/sbin/smtpd" -d -f "$3/smtpd.conf" \
	    >"$3/log" 2>&1 </dev/null &
	echo $! >"$3/pid"
	await "$1" "$3/pid" "$3/log"
}
peer_stop() { end_namespace "$1"; }
peer_pids() { namespace_pids "$1"; }

dispatch "$@"
