# Shared by the peers' scripts, which source it: how a Debian package is had
# without being installed, and how a tree of processes is ended.
#
# Debian's mail servers exclude each other, and a machine may already have one
# that serves somebody.  So a peer's packages are unpacked below build/peers,
# together with the libraries that the machine lacks; no maintainer script runs,
# no service is enabled, no user is made, nothing is written outside of
# build/peers and of the directory that `start` is given.
set -eu
umask 022
here=$(cd "$(dirname "$0")" && pwd)
me=$(basename "$0" .sh)
root=$(cd "$here/../.." && pwd)/build/peers/$me

refuse() {	# WHY
	echo "$*" >&2
	exit 77
}

need_root() {
	[ "$(id -u)" = 0 ] || refuse "$me needs root"
}

# A mount namespace shows files at the places that are compiled into a program.
need_namespace() {
	need_root
	unshare --mount true 2>/dev/null ||
		refuse "$me needs a mount namespace (CAP_SYS_ADMIN)"
}

refuse_dkim() {
	[ "${DKIM:-none}" = none ] || refuse "$me: $*"
}

refuse_workers() {
	[ -z "${WORKERS:-}" ] || refuse "$me has no number of workers"
}

# What apt would install for these packages on this machine: the packages, and
# libraries that are missing.
wanted() {	# PACKAGE...
	{
		printf '%s\n' "$@"
		apt-get -s -qq install --no-install-recommends "$@" 2>/dev/null |
			sed -n 's/^Inst \(lib[^ ]*\) .*/\1/p'
	} | sort -u
}

unpack() {	# PACKAGE...
	[ ! -s "$root/packages" ] || return 0
	apt-cache show "$1" >/dev/null 2>&1 || apt-get -qq update
	rm -rf "$root.new"
	mkdir -p "$root.new/deb"
	# Not as _apt, who cannot write here.
	(cd "$root.new/deb" && apt-get -qq -o APT::Sandbox::User=root \
	    download $(wanted "$@"))
	for deb in "$root.new"/deb/*.deb; do
		dpkg-deb -x "$deb" "$root.new"
		dpkg-deb -f "$deb" Package Version |
			sed 's/^[^:]*: //' | paste -d' ' - -
	done >"$root.new/packages.new"
	rm -r "$root.new/deb"
	mv "$root.new/packages.new" "$root.new/packages"
	rm -rf "$root"
	mv "$root.new" "$root"
}

# See shim.c.
build_shim() {
	[ "$root/shim.so" -nt "$here/shim.c" ] ||
		${CC:-cc} -O2 -shared -fPIC -o "$root/shim.so" "$here/shim.c"
}

package() {	# PACKAGE: its version
	sed -n "s/^$1 //p" "$root/packages"
}

libraries() {	# where unpacked ones are, as in LD_LIBRARY_PATH
	path=
	for folder in "$root"/usr/lib/postfix "$root"/usr/lib/*-linux-gnu* \
	    "$root"/lib/*-linux-gnu*; do
		set -- "$folder"/*.so*
		[ ! -e "$1" ] || path=$path${path:+:}$folder
	done
	echo "$path"
}

# As many descriptors as the machine lets us have.
descriptors() {
	ulimit -n 100000 2>/dev/null || ulimit -n "$(ulimit -Hn)"
}

# The limit of a message, with room for what the headers add.
limit() {
	echo $((${SIZE:-10485760} * 2 + 1048576))
}

listens() {	# PORT
	grep -qi ":$(printf %04X "$1") [0-9A-F]*:0000 0A" /proc/net/tcp
}

await() {	# PORT PIDFILE LOG
	tries=0
	until listens "$1"; do
		kill -0 "$(cat "$2" 2>/dev/null)" 2>/dev/null &&
		    [ $tries -lt 600 ] || {
			tail -n 5 "$3" >&2
			return 1
		}
		tries=$((tries + 1))
		sleep 0.05
	done
	echo ready
}

tree() {	# PID: it and all processes below
	[ -d "/proc/$1" ] || return 0
	echo "$1"
	for child in $(cat "/proc/$1/task/"*/children 2>/dev/null); do
		tree "$child"
	done
}

pids_of() {	# PIDFILE...
	for file in "$@"; do
		[ ! -s "$file" ] || tree "$(cat "$file")"
	done
}

gone() {	# PID...
	for pid in "$@"; do
		# Not one that is dead and waits for its parent.
		state=$(sed 's/.*) //;s/ .*//' "/proc/$pid/stat" \
		    2>/dev/null) || continue
		[ "$state" = Z ] || return 1
	done
}

end() {	# PIDFILE...
	for file in "$@"; do
		[ -s "$file" ] || continue
		head=$(cat "$file")
		all=$(tree "$head")
		kill "$head" 2>/dev/null || true
		tries=0
		until gone $all; do
			[ $tries -lt 200 ] || kill -KILL $all 2>/dev/null || true
			tries=$((tries + 1))
			sleep 0.05
		done
		rm -f "$file"
	done
}

# --- a peer in a mount namespace (see in_namespace)

users() {	# DIR NAME...: users that exist only there
	cp /etc/passwd /etc/group "$1/etc"
	folder=$1/etc
	number=64900
	shift
	for name in "$@"; do
		number=$((number + 1))
		grep -q "^$name:" "$folder/passwd" || echo \
		    "$name:x:$number:$number::/nonexistent:/usr/sbin/nologin" \
		    >>"$folder/passwd"
		grep -q "^$name:" "$folder/group" ||
			echo "$name:x:$number:" >>"$folder/group"
	done
}

user() {	# DIR NAME: as uid:gid
	sed -n "s/^$2:[^:]*:\([0-9]*:[0-9]*\):.*/\1/p" "$1/etc/passwd"
}

namespace_pids() {	# DIR
	[ -s "$1/namespace" ] || return 0
	which=$(cat "$1/namespace")
	for process in /proc/[0-9]*; do
		[ "$(readlink "$process/ns/mnt" 2>/dev/null)" != "$which" ] ||
			echo "${process#/proc/}"
	done
}

# The head first: it starts no more of them then.
end_namespace() {	# DIR
	end "$1/pid"
	tries=0
	while all=$(namespace_pids "$1") && [ -n "$all" ]; do
		case $tries in
		0) kill $all 2>/dev/null || true ;;
		100 | 200) kill -KILL $all 2>/dev/null || true ;;
		400) return 1 ;;
		esac
		tries=$((tries + 1))
		sleep 0.05
	done
	rm -f "$1/namespace"
}

dispatch() {	# VERB [ARGUMENT]...
	case ${1:-} in
	install) peer_install ;;
	version | durable | tuning) "peer_$1" ;;
	start)
		descriptors
		"peer_$@"
		;;
	stop | pids) "peer_$@" ;;
	*)
		echo "usage: $0 install|version|durable|tuning|start|stop|pids" >&2
		exit 64
		;;
	esac
}
