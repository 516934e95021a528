#!/bin/sh
# The image, built and used, on a machine without Docker and without a registry:
#
#   sh tests/image.sh
#
# Dockerfile is built by buildah upon a Debian that debootstrap laid; the result
# is started by crun, with the user, the capabilities, the system calls and the
# read-only root that Docker would give it (image_test.py), in a network of its
# own.  All is kept in build/image: a second run builds what has changed.  Needs
# root, and 1 GB (8 where there are no overlays).  The last line is "N passed, N failed".
set -eu
cd "$(dirname "$0")/.."
. tests/tree.sh

for program in buildah crun debootstrap python3 swaks unshare; do
	command -v $program >/dev/null || {
		echo "apt-get install buildah crun debootstrap python3 swaks"
		exit 77
	}
done
kept=build/image
mkdir -p $kept
# Layers as whole copies work everywhere; overlays are quicker and smaller.
driver=vfs
mkdir -p $kept/probe/lower $kept/probe/upper $kept/probe/work
if unshare -m mount -t overlay overlay $kept/probe/lower -o \
    lowerdir=$kept/probe/lower,upperdir=$kept/probe/upper,workdir=$kept/probe/work \
    2>/dev/null; then
	driver=overlay
fi
rm -rf $kept/probe
work() {
	buildah --root $PWD/$kept/$driver --runroot $PWD/$kept/run-$driver \
	    --storage-driver $driver "$@"
}

# What a Debian for images leaves out; how this machine reaches its packages
# (tree.sh) is in it.
if [ ! -s $kept/base.tar ]; then
	tree_lay trixie ca-certificates
	tar -C "$tree" -cf $kept/base.tar.new \
	    --exclude='./var/cache/apt/*' --exclude='./usr/share/doc/*' \
	    --exclude='./usr/share/man/*' --exclude='./usr/share/locale/*' \
	    --exclude='./usr/share/info/*' --exclude='./var/log/*' .
	mv $kept/base.tar.new $kept/base.tar
fi
base=docker.io/library/debian:trixie-slim
if [ -z "$(work images -q $base 2>/dev/null)" ]; then
	printf 'FROM scratch\nADD base.tar /\nCMD ["bash"]\n' >$kept/base.docker
	work bud -q --isolation chroot -t $base -f $kept/base.docker $kept \
	    >/dev/null
fi

echo 'building the image'
work bud --isolation chroot --layers --format docker --pull-never \
    --build-arg VERSION="$(git describe --tags --always --dirty)" \
    -t smarthost . >$kept/build.log 2>&1 || {
	tail -n 60 $kept/build.log
	exit 1
}
work inspect --type image smarthost >$kept/inspect.json
container=$(work from --pull-never smarthost)
root=$(work mount "$container")
trap 'work rm "$container" >/dev/null; [ -z "${tree:-}" ] || rm -rf "$tree"' EXIT
work images --format '{{.Name}} {{.Tag}} {{.Size}}' | grep -v none
echo "program and libraries: $(du -sk --apparent-size "$root" | cut -f 1)" \
    "KiB of files, $(tar -C "$root" -cf - . | gzip -6 | wc -c) bytes packed;" \
    "the Debian below:" \
    "$(gzip -6 <$kept/base.tar | wc -c) bytes packed"

unshare -n -m sh -c '
	ip link set lo up
	# crun knows one kind of control groups at a time.
	mount -t cgroup2 none /sys/fs/cgroup
	sysctl -qw net.ipv4.ip_unprivileged_port_start=0
	exec python3 tests/image_test.py "$@"' sh "$root" $kept/inspect.json
