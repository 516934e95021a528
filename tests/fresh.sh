#!/bin/sh
# What a newcomer does, on a Debian where nothing is installed yet:
#
#   sh tests/fresh.sh bookworm
#   sh tests/fresh.sh trixie
#
# In a new Debian with git and make (tree.sh; some 3 GB) HEAD is cloned, and
# README's commands are run: by a user who may not install anything, by root, by
# the user again.  It takes ten minutes, so it is no part of `make check`.  The
# last line is "N passed, N failed".
#
# `make run` listens on 127.0.0.1:8587 of this machine.
set -eu
suite=${1:-trixie}
cd "$(dirname "$0")/.."

. tests/tree.sh

if bash -c 'exec 3<>/dev/tcp/127.0.0.1/8587' 2>/dev/null; then
	echo 'fresh: something listens on 127.0.0.1:8587 already'
	exit 77
fi

tree_lay "$suite" git,make,ca-certificates
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

tree_end
