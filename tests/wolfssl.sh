#!/bin/sh
# Builds the wolfSSL that we link, from Debian's source package with Debian's
# patches: sh tests/wolfssl.sh
#
# The system's own package has no assembly, and options that make a connection
# cost 60 KiB instead of 4.  The source is 5.7.2 or newer: this suite's, or, on
# Debian 12, the next one's.  It is fetched by apt from the mirror that this
# machine is set up for, with a list of sources and a state of its own, and its
# signature is checked as always; nothing of the machine's is changed.
#
# The result is kept in build/wolfssl (include/, lib/libwolfssl.a), named after
# what it was made of: a second run does nothing.  Where it cannot be built (no
# network, not Debian) the system's package is used, and this says so.
set -eu
cd "$(dirname "$0")/.."

case $(uname -m) in
x86_64) asm='--enable-intelasm --enable-sp-asm' ;;
aarch64) asm='--enable-armasm --enable-sp-asm' ;;
*) asm= ;;
esac
options="--enable-static --disable-shared --with-pic --disable-examples
	--disable-crypttests --disable-dependency-tracking
	--disable-oldtls --disable-aescbc --disable-dh --disable-brainpool
	--disable-pkcs12 --disable-sha3 --disable-asn-print
	--enable-sni --enable-session-ticket --enable-extended-master
	--enable-supportedcurves --enable-hkdf --enable-keying-material
	--enable-curve25519 --enable-ed25519 --enable-keygen --enable-certgen
	--enable-certext --enable-pwdbased --enable-ip-alt-name
	--enable-sys-ca-certs --enable-sp=yes,4096 $asm"
defines='-DSMARTHOST_WOLFSSL -DHAVE_EXT_CACHE -DWOLFSSL_ALT_NAMES
	-DWOLFSSL_ALWAYS_VERIFY_CB -DWOLFSSL_MAX_SUITE_SZ=1024'
options=$(echo $options)
defines=$(echo $defines)

out=${WOLFSSL_DIR:-$PWD/build/wolfssl}
made_of="$(uname -m) $options $defines"
if [ "$(cat "$out/made-of" 2>/dev/null)" = "$made_of" ] &&
    [ -s "$out/lib/libwolfssl.a" ]; then
	exit 0
fi

give_up() {
	echo "wolfssl: $*"
	echo "wolfssl: using the system's package, which is slower and larger"
	[ ! -s "$work/log" ] || tail -n 5 "$work/log"
	exit 0
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP

for program in apt-get dpkg-source autoreconf libtoolize; do
	command -v $program >/dev/null || give_up "there is no $program here"
done

# The mirror and the suite that the machine has its packages from.
apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' \
    'Created-By: Packages' 'Origin: Debian' >"$work/targets" 2>/dev/null || :
codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
mirror=$(awk -v suite="$codename" \
    '$2 == suite && $3 == "main" { print $1; exit }' "$work/targets")
[ -n "$mirror" ] || give_up "apt knows no mirror of Debian $codename"
case $codename in
bookworm) suite=trixie ;;
*) suite=$codename ;;
esac
keys=/usr/share/keyrings/debian-archive-keyring.gpg
[ -r $keys ] || give_up "$keys is missing"
echo "deb-src [signed-by=$keys] $mirror $suite main" >"$work/sources.list"
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/source"
apt() {
	apt-get -q -o Dir::Etc::sourcelist="$work/sources.list" \
	    -o Dir::Etc::sourceparts=- -o Dir::State::lists="$work/lists" \
	    -o Dir::Cache="$work/cache" -o Acquire::Languages=none \
	    -o APT::Sandbox::User= -o Acquire::Retries=2 "$@" >>"$work/log" 2>&1
}
apt update -o APT::Update::Error-Mode=any ||
    give_up "the sources of $suite cannot be had"
(cd "$work/source" && apt source wolfssl) || give_up "apt-get source failed"
source=$(echo "$work"/source/wolfssl-*/)
[ -f "$source/configure.ac" ] || give_up 'this is no source of wolfSSL'

version=$(dpkg-parsechangelog -l "$source/debian/changelog" -S Version)
dpkg --compare-versions "$version" ge 5.7.2 ||
    give_up "$suite has wolfSSL $version, too old"
echo "wolfssl: building $version"
{
	cd "$source"
	autoreconf -fi
	./configure $options --prefix="$out" CC="${CC:-gcc}" \
	    CFLAGS='-O2 -g' C_EXTRA_FLAGS="$defines"
	make -j"$(nproc)"
	rm -rf "$out"
	make install
} >>"$work/log" 2>&1 || give_up "wolfSSL $version does not build"
rm -rf "$out/lib/pkgconfig" "$out/share" "$out/bin" "$out"/lib/*.la
echo "$made_of" >"$out/made-of"
