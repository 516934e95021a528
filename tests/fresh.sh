#!/bin/sh
# What a newcomer does, on a Debian where nothing is installed yet:
#
#   sh tests/fresh.sh bookworm
#   sh tests/fresh.sh trixie
#
# A new Debian with git and make is laid into a folder (debootstrap; root; some
# 3 GB below /var/tmp, or $TMPDIR), HEAD is cloned there, and README's commands
# are run in it: by a user who may not install anything, by root, by the user
# again.  It takes ten minutes, so it is no part of `make check`.  The last line
# is "N passed, N failed"; the folder is removed.
#
# Everything runs in namespaces of its own (mounts, processes) and ends with
# them, but in the machine's network: `make run` listens on 127.0.0.1:8587.
set -eu
suite=${1:-trixie}
cd "$(dirname "$0")/.."

[ "$(id -u)" = 0 ] || { echo 'fresh: only root can do this'; exit 77; }
command -v debootstrap >/dev/null || {
	echo 'fresh: apt-get install debootstrap'
	exit 77
}
if bash -c 'exec 3<>/dev/tcp/127.0.0.1/8587' 2>/dev/null; then
	echo 'fresh: something listens on 127.0.0.1:8587 already'
	exit 77
fi

tree=$(mktemp -d "${TMPDIR:-/var/tmp}/smarthost-fresh-XXXXXX")
trap 'rm -rf --one-file-system "$tree"' EXIT
chmod 755 "$tree"		# its users are not root
trap 'exit 1' INT TERM HUP

echo "fresh: laying $suite into $tree"
debootstrap --variant=minbase --include=git,make,ca-certificates \
    "$suite" "$tree" >"$tree.log" 2>&1 || {
	tail -n 20 "$tree.log"
	rm -f "$tree.log"
	exit 69
}
rm -f "$tree.log"
rm -rf "$tree"/var/lib/apt/lists/*
cp /etc/resolv.conf "$tree/etc/resolv.conf"
# How this machine reaches its packages, if in a special way.
apt-config dump Acquire | grep -iE 'proxy|check-' \
    >"$tree/etc/apt/apt.conf.d/90machine" || true
git bundle create -q "$tree/src.bundle" HEAD
chroot "$tree" useradd -m -s /bin/bash newcomer

cat >"$tree/clone.sh" <<'END'
rm -rf ~/smarthost
git clone -q /src.bundle ~/smarthost && test -e ~/smarthost/Makefile
END

# Starts the relay, sends what it proposes, presses Ctrl-C.
cat >"$tree/first_mail.sh" <<'END'
cd ~/smarthost || exit 1
set -m
make run >/tmp/run-$USER.log 2>&1 &
until grep -qa ' ready workers=' /tmp/run-$USER.log; do
	kill -0 $! 2>/dev/null || { cat /tmp/run-$USER.log; exit 1; }
	sleep 0.2
done
sh -c "$(sed -n '/printf "Subject/,/--upload-file/p' /tmp/run-$USER.log)"
mail=$?
until grep -qaE ' (delivered|deferred|bounced) ' /tmp/run-$USER.log; do
	((SECONDS < 300)) || break
	sleep 0.2
done
kill -INT -$!
wait $!
cat /tmp/run-$USER.log
[ $mail = 0 ] && grep -qaE ' (delivered|deferred|bounced) ' \
    /tmp/run-$USER.log && grep -qa ' stopped$' /tmp/run-$USER.log
END

passed=0
failed=0
as() {	# user, what it is, command
	echo "== $2"
	# The first process of the namespace stays a shell: it buries the dead.
	if TREE=$tree USER_="$1" COMMAND="$3" unshare -m -p -f sh -c '
	    mount --make-rprivate /
	    mount -t proc proc "$TREE/proc"
	    mount --rbind /dev "$TREE/dev"
	    mount --rbind /sys "$TREE/sys"
	    env -i PATH="$PATH" COMMAND="$COMMAND" TERM=dumb chroot "$TREE" \
		su - "$USER_" -c "$COMMAND" </dev/null
	    exit $?' >"$tree/log" 2>&1
	then
		passed=$((passed + 1))
		echo "ok    $2"
	else
		failed=$((failed + 1))
		echo "FAIL  $2"
		grep -avE '^(cc|clang|ar|rm) ' "$tree/log" | tail -n 60
	fi
}

as newcomer 'clone' 'bash /clone.sh'
as newcomer 'a user reads which packages are missing' \
    'cd smarthost && make run 2>&1 | grep "missing packages: gcc "'
as root 'clone, as root' 'bash /clone.sh'
as root 'make run, first mail, Ctrl-C, as root' 'bash /first_mail.sh'
as root 'no warning' '! grep -a "warning:" /tmp/run-root.log'
as root 'make run again, without apt' \
    'date >/before && bash /first_mail.sh &&
     ! find /var/lib/apt /var/lib/dpkg /var/log/apt -newer /before | grep .'
as newcomer 'make run, first mail, Ctrl-C, as a user' 'bash /first_mail.sh'
as root 'make check' 'cd smarthost && make check'
as root 'no service was left' \
    'test ! -e /usr/sbin/policy-rc.d && ! ps ax | grep -E "[ /](nsd|haproxy|master)( |$)"'
as newcomer 'make check, as a user' 'cd smarthost && make check'
as newcomer 'nothing but build/ is new' \
    'cd smarthost && test -z "$(git status --short)"'

echo "$passed passed, $failed failed"
[ $failed = 0 ]
