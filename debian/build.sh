#!/bin/sh
# Builds the package in build/deb: what is committed, and the library that was
# built for it, if there is one.
set -eu
cd "$(dirname "$0")/.."
top=$PWD
# A tag, or the commit and its time: a later one is higher.
version=$(git describe --tags 2>/dev/null | sed 's/^v//; s/-/+/g' || true)
[ -n "$version" ] || version=$(git log -1 --format='0~%cd.%h' \
    --date=format:%Y%m%d%H%M%S)
version=$version${REVISION:+.$REVISION}
dir=build/deb/smarthost-$version

rm -rf build/deb
mkdir -p "$dir"
git ls-files -z | xargs -0 tar cf - | tar xf - -C "$dir"
mkdir -p "$dir/build"
[ ! -d build/wolfssl ] || cp -al build/wolfssl "$dir/build/"
cd "$dir"
{
	printf 'smarthost (%s) unstable; urgency=medium\n\n' "$version"
	printf '  * Built from %s.\n\n' "$(git -C "$top" log -1 --format=%h)"
	printf ' -- smarthost developers <smarthost@localhost>  %s\n' \
	    "$(git -C "$top" log -1 --format=%cD)"
} >debian/changelog.new
mv debian/changelog.new debian/changelog
MODE=release VERSION=$version dpkg-buildpackage -b -us -uc \
    >../build.log 2>&1 || { tail -n 40 ../build.log; exit 1; }
cd "$top"
ls build/deb/*.deb
