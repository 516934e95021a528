#!/bin/sh
# What a container of this image runs:
#
#   docker run IMAGE                      the relay
#   docker run IMAGE run --set ...        the relay, with options
#   docker run IMAGE check --print        any command of smarthost
#   docker run IMAGE test you@example.net a mail to itself, and what became of it
#   docker run -it IMAGE sh               any other program
#
# Before the relay starts, the programs docker-entrypoint.d/*.sh below the
# configuration directory are run in the order of their names; one that fails
# ends the container.
set -eu

run_hooks() {
	for hook in "${APP_CONF:-/etc/smarthost}"/docker-entrypoint.d/*.sh; do
		if [ -x "$hook" ]; then
			echo "running $hook" >&2
			"$hook"
		elif [ -e "$hook" ]; then
			echo "ignoring $hook, which is not executable" >&2
		fi
	done
}

give_spool_advice() {	# a volume that belongs to somebody else
	for dir in /var/spool/smarthost /var/spool/postfix; do
		if [ "$(id -u)" != 0 ] && [ -d $dir ] && [ ! -w $dir ] &&
		    grep -q " $dir " /proc/self/mountinfo; then
			echo "user $(id -u) cannot write to the volume on" \
			    "$dir: chown it to $(id -u):$(id -g), or start" \
			    "the container as root (--user 0), which gives it" \
			    "to smarthost and goes on as that user" >&2
		fi
	done
}

# A mail is sent to the relay of this container, which is started when none
# runs, and then has up to 30 seconds for it.
test_mail() {
	relay=
	if ! smarthost health >/dev/null 2>&1; then
		smarthost run &
		relay=$!
		until smarthost health >/dev/null 2>&1; do
			kill -0 $relay 2>/dev/null || wait $relay
			sleep 0.1
		done
	fi
	case ${1-} in
	*@*)
		rcpt=$1
		shift
		set -- --rcpt "$rcpt" "$@"
		;;
	esac
	status=0
	smarthost send "$@" || status=$?
	[ -n "$relay" ] || exit $status
	end=$(($(date +%s) + 30))
	while [ "$(date +%s)" -lt $end ] &&
	    smarthost queue list --json | grep -q .; do
		sleep 0.2
	done
	kill $relay
	wait $relay || true
	exit $status
}

[ $# -gt 0 ] || set -- run
case $1 in
-*) set -- run "$@" ;;
postfix) set -- run ;;	# as the command of images with Postfix inside is called
esac
case $1 in
run | test)
	run_hooks
	give_spool_advice
	;;
esac
if [ "$1" = test ]; then
	shift
	test_mail "$@"
fi
# What is no command of smarthost and a program here, is that program.
smarthost --help | grep -qF "  smarthost $1 " || ! command -v "$1" >/dev/null ||
    exec "$@"
exec smarthost "$@"
