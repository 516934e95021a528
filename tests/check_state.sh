#!/bin/sh
# No mutable statics, thread-local ones included: sh check_state.sh LIBRARY
#
# Everything hangs from a struct that was handed in, so that two workers can
# live in one process.  Constant tables of pointers pass (.data.rel.ro); main.o,
# with its signal flag, is not in the library.
set -eu
[ -s "$1" ] || { echo "no library $1"; exit 1; }

nm -f sysv "$1" | awk -F'|' '
/OBJECT|TLS/ && $7 ~ /^\.t?(data|bss)/ && $7 !~ /^\.data\.rel\.ro/ {
	print "mutable static:", $1
	bad = 1
}
/FUNC/ { functions++ }
END {
	if (!functions) {
		print "no functions in the library: is this check blind?"
		bad = 1
	}
	exit bad
}'
