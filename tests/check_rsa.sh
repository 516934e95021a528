#!/bin/sh
# Reads the object code of RSA's kernels: sh check_rsa.sh FOLDER-OF-OBJECTS
#
# Secrets come to a kernel in memory and in vector registers.  So where no
# general register is ever written from memory (but from its own stack slot) or
# from a vector, no address and no branch can depend on a secret; and where only
# the instructions below occur, nothing takes longer for some values than for
# others.  Branches are the back edges of loops, and nothing else (and in
# subtract_once, of numbers as long as an argument says, what skips a loop).
set -u
[ "$(uname -m)" = x86_64 ] || { echo 'no kernels here'; exit 0; }
kernels='block_multiply block_square block_reduce block_reduce_select
	block_select make_masks subtract_once'
bad=0

# clang writes other instructions; what is shipped is what is to be read.
judge() {	# object
	objdump -d --no-show-raw-insn "$1" | awk -v kernels="$kernels" \
	    -v object="${1##*/}" '
	BEGIN {
		split(kernels, names)
		for (i in names)
			wanted[names[i]] = 1
		vector = "^(vmovdqa64|vmovdqa32|vmovdqu64|vmovdqa|vmovdqu|vpmadd52luq|" \
		    "vpmadd52huq|vpaddq|vpsubq|vpsrlq|vpsraq|vpandq|vpand|" \
		    "vpandd|vporq|vpor|vpord|vpxorq|vpxor|vpxord|vpternlogq|" \
		    "vpternlogd|vpbroadcastq|vpcmpeqd|vzeroupper)$"
		scalar = "^(add|sub|lea|mov|movabs|xor|and|cmp|push|pop|inc|" \
		    "dec|nop|nopw|nopl|data16|cs|endbr64|xchg|ret|leave)$"
	}
	function complain(what) {
		print object ": " kernel ": " what ": " $0
		bad = 1
	}
	/^[0-9a-f]+ <.*>:$/ {
		kernel = $2
		gsub(/[<>:]/, "", kernel)
		sub(/\..*/, "", kernel)
		inside = kernel in wanted
		if (inside)
			seen[kernel]++
		next
	}
	!inside || !/^ *[0-9a-f]+:/ { next }
	{
		op = $2
		args = $3
		# the operand that is written comes last
		target = args
		sub(/.*,/, "", target)
		if (/\)[^,]*$/ && args ~ /\)$/)
			target = "memory"
		if (index($0, "{%k"))
			complain("a masked access")
		if (op ~ /^vpmadd52/)
			products[kernel]++
		if (op ~ vector) {
			if (target ~ /^%[re]|^%[abcds][ixhl]/)
				complain("from a vector to a general register")
			next
		}
		if (op == "jne") {
			to = $3
			at = $1
			sub(/:/, "", at)
			to = sprintf("%16s", to)
			at = sprintf("%16s", at)
			if (to >= at && kernel != "subtract_once")
				complain("a branch forward")
			next
		}
		if (kernel == "subtract_once" && op ~ /^(je|jmp|test|neg|shl|sar)$/)
			next
		if (op !~ scalar)
			complain("not among the instructions allowed")
		if (op ~ /^(lea|push|pop|nop|nopw|nopl|data16|cs)$/)
			next
		if (target != "memory" && args ~ /\(/ &&
		    args !~ /\(%rsp\)|\(%rbp\)/)
			complain("from memory to a general register")
		if (op == "cmp" && args ~ /\(/ && args !~ /\(%rsp\)|\(%rbp\)/)
			complain("memory is compared")
	}
	END {
		for (name in wanted) {
			if (!seen[name]) {
				print object ": no " name ": is this check blind?"
				bad = 1
			}
			if (name !~ /select$|masks|once/ && !products[name]) {
				print object ": no products in " name
				bad = 1
			}
		}
		exit bad
	}'
}

for size in 10 15 20; do
	for lanes in 4 8; do
		object=$1/rsa_kernel_${size}x$lanes.o
		[ -s "$object" ] || { echo "no $object"; exit 1; }
		judge "$object" || bad=1
	done
done
exit $bad
