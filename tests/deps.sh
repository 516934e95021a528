#!/bin/sh
# Installs the Debian packages that are missing, and only those:
#
#   sh tests/deps.sh build          what the server is built with
#   sh tests/deps.sh build try      and what README's first mail is sent with
#   sh tests/deps.sh build test     and what its tests run
#   sh tests/deps.sh build deb      or what makes the package
#   sh tests/deps.sh build bench    and what the race needs beside its peers
#   sh tests/deps.sh node           what one of the peers runs on
#
# When nothing is missing it neither needs root nor the network.
#
# Postfix, HAProxy and NSD are wanted for their programs only.  While they are
# installed no service may start (policy-rc.d), and one that was not here before
# is not left enabled; one that was here before is not touched.  Nothing that is
# installed is ever removed to make room (a machine that has another mail server
# must choose by itself).
set -eu

# libcrypt-dev: passwords that are kept as crypt(3) hashes.
# libmicrohttpd-dev: the HTTP of /metrics and of the probes; loaded when asked for.
build='gcc libc6-dev make git liburing-dev libunbound-dev libyaml-dev
	libwolfssl-dev libcrypt-dev libmicrohttpd-dev
	dpkg-dev autoconf automake libtool'
try=curl
tests='libcriterion-dev python3 swaks curl haproxy postfix nsd
	openssl sasl2-bin libsasl2-modules
	python3-dkim python3-nacl python3-yaml opendkim nodejs npm
	clang libclang-rt-dev procps libcap2-bin iproute2
	gnutls-bin sslscan gsasl'
deb='debhelper fakeroot'
bench='python3 openssl nsd'
node='nodejs npm'
policy=/usr/sbin/policy-rc.d

say() { echo "deps: $*"; }

# Who has node and npm from elsewhere keeps them: Debian's would not go beside.
installed() {
	[ "$1" != npm ] || ! command -v npm >/dev/null || return 0
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = \
	    installed ]
}

wanted=
for set in "$@"; do
	case $set in
	build) wanted="$wanted $build" ;;
	try) wanted="$wanted $try" ;;
	test) wanted="$wanted $tests" ;;
	deb) wanted="$wanted $deb" ;;
	bench) wanted="$wanted $bench" ;;
	node) wanted="$wanted $node" ;;
	*) say "no set of packages is called $set"; exit 64 ;;
	esac
done

missing=
for package in $wanted; do
	installed "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

command -v apt-get >/dev/null || {
	say "this is not Debian; install what it calls:$missing"
	exit 77
}
root=
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null || {
		say "missing packages:$missing"
		say "have root install them: sh $PWD/tests/deps.sh $*"
		exit 77
	}
	root='sudo'
fi

case $missing in *postfix*)
	other=$(dpkg-query -W -f '${db:Status-Status} ${Package} ${Provides}\n' |
	    awk '/^installed .*mail-transport-agent/ {print $2}')
	[ -z "$other" ] || {
		say "the tests run programs of postfix, which cannot be" \
		    "installed beside" $other
		say "to have it in their place: apt-get install postfix"
		exit 77
	}
esac

say "installing$missing"
if [ ! -e $policy ]; then
	printf '#!/bin/sh\nexit 101\n' | $root tee $policy >/dev/null
	$root chmod 755 $policy
	trap '$root rm -f $policy' EXIT
	trap 'exit 1' INT TERM HUP
fi
case $missing in *postfix*)
	echo 'postfix postfix/main_mailer_type select No configuration' |
	    $root debconf-set-selections
esac
log=$(mktemp)
{
	# A source of somebody else that fails is no reason to stop.
	$root apt-get -qq update || echo 'apt-get update failed'
	$root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-remove \
	    --no-install-recommends -o DPkg::Lock::Timeout=300 \
	    install $missing
} >"$log" 2>&1 || {
	cat "$log"
	rm -f "$log"
	say "apt-get could not install:$missing"
	exit 69
}
rm -f "$log"

if command -v systemctl >/dev/null; then
	for service in postfix haproxy nsd; do
		case $missing in *$service*)
			$root systemctl --quiet disable $service 2>/dev/null ||
			    say "$service stays as its package set it"
		esac
	done
fi
