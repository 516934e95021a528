#!/bin/sh
# Who may include whom, and who may do what.
#
#   core                          puts the parts together
#   core/inbound core/outbound    the two ways of a message; strangers
#   core/config                   knows core/base alone
#   proto tls dkim spool          four siblings; strangers
#   core/base                     knows no mail
set -u
bad=0

complain() { [ -z "$2" ] || { echo "$1"; echo "$2"; bad=1; }; }
files() { ls "$1"/*.c "$1"/*.h 2>/dev/null; }

includes() {	# folder, the quoted includes it may have
	complain "$1 includes what it should not know:" "$(
		grep -nE '^#include "' $(files "$1") /dev/null |
		grep -vE ":#include \"($2)")"
}
never() {	# what, pattern, files
	complain "$1" "$(grep -nE "$2" $3 /dev/null)"
}

parts='core/base/|core/config/|proto/|tls/|dkim/|spool/'
includes core/base 'core/base/'
includes core/config 'core/base/|core/config/'
for part in proto tls dkim spool; do
	includes $part "core/base/|$part/"
done
for way in core/inbound core/outbound; do
	includes $way "$parts|$way/"
done
includes core "$parts|core/"

# config may name what a network address is, and reads its files with stdio.
for pure in proto dkim; do
	never "$pure does no I/O:" \
	    'base/loop\.h"|<(liburing|netdb|sys/socket|unistd)\.h>' \
	    "$(files $pure)"
done
never 'core/config does no I/O but stdio:' \
    'base/loop_ops\.h"|<(liburing|netdb)\.h>' "$(files core/config)"

all=$(for top in core core/base core/inbound core/outbound \
	proto tls dkim spool; do files $top; done)
never 'Memory comes from a pool or an arena:' \
    '(^|[^_a-z])(malloc|calloc|realloc|strdup|strndup|asprintf) ?\(' \
    "$(echo "$all" | grep -vE 'base/(pool|arena)\.c|core/(ctl|queue_list)\.c')"
never 'One platform; a feature is a file:' '^#[ \t]*if' \
    "$(echo "$all" | grep '\.c$')"
never 'A loop that sleeps is a loop that stops everybody:' \
    '(^|[^_a-z])(sleep|usleep|nanosleep|getaddrinfo|gethostbyname) ?\(' \
    "$(echo "$all" | grep -vE 'core/(ctl|listen|supervisor|main|wire)\.c')"
exit $bad
