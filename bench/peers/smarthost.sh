#!/bin/sh
# We.  The binary is $SMARTHOST, or build/release/smarthost.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
program=${SMARTHOST:-$here/../../build/release/smarthost}

settings() {	# LISTEN_PORT SINK_PORT DIR
	sed -e "s/@LISTEN@/$1/" -e "s/@SINK@/$2/" -e "s,@DIR@,$3,g" \
	    "$here/smarthost.yaml"
	[ -z "${WORKERS:-}" ] || echo "  workers: $WORKERS"
	[ -z "${SIZE:-}" ] || echo "  message_size_limit: $((SIZE * 2 + 1048576))"
	[ -z "${RETRY:-}" ] || printf '  retry:\n    first: %s\n' "$RETRY"
}

start() {	# LISTEN_PORT SINK_PORT DIR
	mkdir -p "$3/etc/yaml.d" "$3/spool"
	chmod 755 "$3" "$3/etc" "$3/etc/yaml.d"
	settings "$@" >"$3/etc/yaml.d/10-bench.yaml"
	[ -z "${TLS:-}${DKIM:-}" ] || variants "$3"
	chmod 644 "$3"/etc/yaml.d/*
	"$program" run --config-dir "$3/etc" ${EXTRA:-} \
	    >"$3/log" 2>&1 </dev/null &
	echo $! >"$3/pid"
	tries=0
	until grep -q ' ready' "$3/log"; do
		kill -0 "$(cat "$3/pid")" 2>/dev/null && [ $tries -lt 600 ] || {
			tail -n 5 "$3/log" >&2
			return 1
		}
		tries=$((tries + 1))
		sleep 0.05
	done
	echo ready
}

variants() {	# DIR
	[ "${TLS:-none}" = none ] || cat <<-Y >"$1/etc/yaml.d/20-tls.yaml"
	config:
	  tls:
	    level: may
	    crt: |
	$(sed 's/^/      /' "$TLS_CRT")
	    key: |
	$(sed 's/^/      /' "$TLS_KEY")
	  delivery:
	    tls: opportunistic
	Y
	[ "${DKIM:-none}" = none ] || cat <<-Y >"$1/etc/yaml.d/30-dkim.yaml"
	domains:
	  - name: bench.example
	    dkim:
	      selector: bench
	      key: |
	$(sed 's/^/        /' "$DKIM_KEY")
	Y
}

stop() {	# DIR
	pid=$(cat "$1/pid" 2>/dev/null) || return 0
	kill "$pid" 2>/dev/null || return 0
	while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
}

pids() {	# DIR
	pid=$(cat "$1/pid")
	echo "$pid" $(cat "/proc/$pid/task/$pid/children")
}

case ${1:-} in
install) exec sh "$here/../../tests/deps.sh" build ;;
version) exec "$program" --version ;;
durable) echo "yes: a durable write (RWF_DSYNC) before the 250" ;;
tuning) echo "$here/smarthost.yaml" ;;
start | stop | pids) "$@" ;;
*) echo "usage: $0 install|version|durable|tuning|start|stop|pids" >&2
   exit 64 ;;
esac
