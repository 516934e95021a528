# A Debian on which nothing is installed yet, in a folder, for tests that are
# sourced with it: fresh.sh, package.sh.
#
#   tree_lay SUITE PACKAGES    lays it into $tree (debootstrap; root; below
#                              /var/tmp, or $TMPDIR); removed at the end
#   as USER WHAT COMMAND       runs a command in it: passes or fails
#   tree_end                   prints "N passed, N failed"
#
# What runs in it has namespaces of its own (mounts, processes) and ends with
# them, but the machine's network.
passed=0
failed=0

tree_lay() {
	[ "$(id -u)" = 0 ] || { echo 'only root can do this'; exit 77; }
	command -v debootstrap >/dev/null || {
		echo 'apt-get install debootstrap'
		exit 77
	}
	tree=$(mktemp -d "${TMPDIR:-/var/tmp}/smarthost-tree-XXXXXX")
	trap 'rm -rf --one-file-system "$tree"' EXIT
	trap 'exit 1' INT TERM HUP
	chmod 755 "$tree"		# its users are not root
	echo "laying $1 into $tree"
	debootstrap --variant=minbase --include="$2" "$1" "$tree" \
	    >"$tree.log" 2>&1 || {
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
}

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

tree_end() {
	echo "$passed passed, $failed failed"
	[ $failed = 0 ]
}
