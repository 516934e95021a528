#!/bin/sh
# Runs what can fail, and adds it up: sh tests/run.sh unit lint e2e chart fuzz
#
# The unit tests run under ASan + UBSan, the end-to-end tests against the
# release build and, but for those that measure, against the sanitized one and
# on the loop that works without io_uring.
# Each test, each check and each fuzz harness counts as one.  The last line is
# "N passed, N failed"; the exit status is 1 when anything failed.  All that was
# printed is kept in build/check/.
set -u
cd "$(dirname "$0")/.." || exit 1
jobs=$(nproc)
make="make --no-print-directory"
logs=build/check
passed=0
failed=0
mkdir -p $logs

# What "Tested: 5 | Passing: 4 | Failing: 1" says after a word.
number() { grep -aoE "$1:? [0-9]+" "$2" | tail -n 1 | grep -oE '[0-9]+$'; }

count() {	# passed, failed
	passed=$((passed + $1))
	failed=$((failed + $2))
}

one() {		# name, command: a check that passes or fails
	name=$1
	shift
	if "$@" >"$logs/$name.log" 2>&1; then
		count 1 0
		echo "ok    $name"
	else
		count 0 1
		echo "FAIL  $name"
		sed 's/^/      /' "$logs/$name.log" | tail -n 60
	fi
}

unit() {
	if ! $make -j"$jobs" MODE=asan build-tests >$logs/build.log 2>&1; then
		count 0 1
		echo 'FAIL  the unit tests do not build'
		grep -aE 'error|Error|undefined' $logs/build.log | head -n 40
		return
	fi
	for source in tests/*/test_*.c; do
		[ -e "$source" ] || continue
		name=${source#tests/}
		name=${name%.c}
		log=$logs/unit-$(echo "$name" | tr / -).log
		"build/asan/tests/$name" --timeout 120 >"$log" 2>&1
		status=$?
		good=$(number Passing "$log")
		tested=$(number Tested "$log")
		if [ -z "$tested" ] || [ "${tested:-0}" = 0 ]; then
			good=0
			tested=1
		fi
		bad=$((tested - good))
		[ $status = 0 ] || [ $bad != 0 ] || bad=1
		count "$good" $bad
		if [ $bad = 0 ]; then
			echo "ok    unit $name ($good)"
		else
			echo "FAIL  unit $name ($bad of $tested)"
			grep -avE '^\[(\x1b|====|----|RUN|PASS)' "$log" |
			    tail -n 60 | sed 's/^/      /'
		fi
	done
}

lint() {
	one check_layers sh tests/check_layers.sh
	one check_size sh tests/check_size.sh
	one library $make -j"$jobs" build/release/libsmarthost.a
	one check_state sh tests/check_state.sh build/release/libsmarthost.a
	one check_rsa sh tests/check_rsa.sh build/release/dkim
	if command -v cppcheck >/dev/null; then
		one cppcheck $make cppcheck
	fi
}

python() {	# name, mode, arguments
	name=$1
	shift
	log=$logs/e2e-$name.log
	SMARTHOST=build/$1/smarthost python3 tests/e2e/run.py "$@" \
	    >"$log" 2>&1
	total=$(tail -n 1 "$log" | grep -E '^[0-9]+ passed, [0-9]+ failed')
	good=$(echo "${total:-0 passed, 1 failed}" | cut -d ' ' -f 1)
	bad=$(echo "${total:-0 passed, 1 failed}" | cut -d ' ' -f 3)
	count "$good" "$bad"
	echo "$([ "$bad" = 0 ] && echo 'ok   ' || echo 'FAIL ') e2e $name ($good)"
	if [ "$bad" != 0 ]; then
		grep -av '^ok ' "$log" | tail -n 200 | sed 's/^/      /'
	fi
}

e2e() {
	for mode in release asan; do
		if ! $make -j"$jobs" MODE=$mode build/$mode/smarthost \
		    >$logs/build-$mode.log 2>&1; then
			count 0 1
			echo "FAIL  the $mode build"
			tail -n 40 $logs/build-$mode.log
			return
		fi
	done
	$make -j"$jobs" bench-tools >$logs/build-bench.log 2>&1 || {
		count 0 1
		echo "FAIL  the tools of bench"
	}
	python release release
	python asan asan --no-limits
	SMARTHOST_LOOP=epoll python epoll release --no-limits
}

chart() {	# where helm is to be had
	log=$logs/chart.log
	SMARTHOST=build/release/smarthost sh tests/chart.sh >$log 2>&1
	if [ $? = 77 ]; then
		echo "skip  chart: $(tail -n 1 $log)"
		return
	fi
	total=$(tail -n 1 $log | grep -E '^[0-9]+ passed, [0-9]+ failed')
	total=${total:-0 passed, 1 failed}
	count "${total%% *}" "$(echo "$total" | cut -d ' ' -f 3)"
	grep -av '^ok ' $log
}

fuzz() {
	for source in tests/fuzz/fuzz_*.c; do
		[ -e "$source" ] || continue
		name=${source#tests/fuzz/fuzz_}
		name=${name%.c}
		one "fuzz-$name" $make fuzz F="$name" FOR="${FUZZ_SECONDS:-10}"
	done
}

for part in "$@"; do
	case $part in
	unit | lint | e2e | chart | fuzz) $part ;;
	*) echo "no part of the tests is called $part"; exit 64 ;;
	esac
done
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
