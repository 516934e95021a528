#!/bin/sh
# The package's life on a Debian where nothing is installed yet:
#
#   sh tests/package.sh bookworm
#
# Built here (make deb), installed there, started as its unit starts it,
# upgraded with mail in the queue, removed, purged.  There is no systemd in a
# folder: the unit's ExecStart and User are taken out of it and run by hand, and
# `systemd-analyze` reads the unit here.
set -eu
suite=${1:-bookworm}
cd "$(dirname "$0")/.."
. tests/tree.sh

sh tests/deps.sh build deb
sh debian/build.sh >/dev/null
old=$(ls build/deb/smarthost_*.deb)
cp "$old" build/old.deb
REVISION=1 sh debian/build.sh >/dev/null
new=$(ls build/deb/smarthost_*.deb)

tree_lay "$suite" ca-certificates,curl
cp build/old.deb "$tree/old.deb"
cp "$new" "$tree/new.deb"
rm build/old.deb

# Runs the unit's command as the unit's user, then what stands in $1.
cat >"$tree/with_relay.sh" <<'END'
unit=/lib/systemd/system/smarthost.service
[ -e $unit ] || unit=/usr$unit
user=$(sed -n 's/^User=//p' $unit)
command=$(sed -n 's/^ExecStart=//p' $unit)
setpriv --reuid="$user" --regid="$user" --clear-groups \
    --inh-caps=+net_bind_service,+dac_read_search \
    --ambient-caps=+net_bind_service,+dac_read_search \
    $command >/tmp/relay.log 2>&1 &
until grep -qa ' ready workers=' /tmp/relay.log; do
	kill -0 $! 2>/dev/null || { cat /tmp/relay.log; exit 1; }
	sleep 0.1
done
sh -ec "$1"
status=$?
kill $!
wait $!
stopped=$?
cat /tmp/relay.log
[ $status = 0 ] && [ $stopped = 0 ]
END
cat >"$tree/local.yaml" <<'END'
config:
  listen: {submission: ['127.0.0.1:18587'], proxy: []}
  relay: {host: '[127.0.0.1]:9'}
END
send='printf "Subject: x\n\nx\n" | curl -sS --crlf smtp://127.0.0.1:18587 \
    --mail-from a@example.org --mail-rcpt b@example.net --upload-file -'

as root 'install' 'apt-get -qq update &&
    apt-get -qq -y --no-install-recommends install /old.deb'
as root 'the user, the folders, the pages' 'id smarthost &&
    test "$(stat -c %U:%a /var/spool/smarthost)" = smarthost:700 &&
    test -e /usr/share/doc/smarthost/copyright &&
    dpkg -L smarthost | grep -q man8/smarthost.8.gz &&
    test "$(stat -c %G:%a /etc/smarthost)" = smarthost:750'
as root 'its defaults are good' 'smarthost check'
as root 'a mail is taken and kept' 'cp /local.yaml /etc/smarthost/yaml.d/ &&
    bash /with_relay.sh '"'$send && smarthost queue list | grep a@example.org'"
as root 'upgrade' 'apt-get -qq -y install /new.deb &&
    dpkg -l smarthost | grep "^ii.*\.1 "'
as root 'the mail is still there' 'bash /with_relay.sh \
    "smarthost queue list | grep a@example.org"'
as root 'a key that only root may read' '
    install -m 600 /dev/stdin /etc/smarthost/yaml.d/secret.yaml <<END
config: {hostname: kept.example.org}
END
    bash /with_relay.sh "true" && grep hostname=kept.example.org /tmp/relay.log'
as root 'remove keeps the queue and the configuration' '
    apt-get -qq -y remove smarthost && test ! -e /usr/sbin/smarthost &&
    test -d /var/spool/smarthost/0 && test -e /etc/smarthost/yaml.d/local.yaml'
as root 'purge leaves nothing' 'apt-get -qq -y purge smarthost &&
    test ! -e /var/spool/smarthost && test ! -e /etc/smarthost &&
    ! id smarthost'

echo '== the unit'
cp debian/smarthost.service "$tree/smarthost.service"
sed -i "s|/usr/sbin/smarthost|/bin/true|" "$tree/smarthost.service"
if command -v systemd-analyze >/dev/null; then
	if systemd-analyze verify --man=no "$tree/smarthost.service" &&
	    systemd-analyze security --offline=true --threshold=30 \
	    "$tree/smarthost.service" | tail -n 1; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
	fi
else
	echo 'skip  no systemd-analyze here'
fi
tree_end
