#!/bin/sh
# No function over 70 lines, no file over 600; no exceptions.
#
# A function runs from the brace in the first column, or the line that ends in
# ") {", to the closing brace in the first column: what clang-format writes.
set -u
sources=$(find core proto tls dkim spool bench -name '*.[ch]' \
    2>/dev/null)
[ -n "$sources" ] || { echo 'no sources found'; exit 1; }

awk '
FNR == 1 { start = 0 }
/^[A-Za-z_].*\(/ && !/;[ \t]*$/ { name = $0 }
/^\{/ { start = FNR; what = name }
/^[A-Za-z_].*\)[ \t]*\{[ \t]*$/ { start = FNR; what = $0 }
/^\}/ {
	if (start && FNR - start > 70) {
		print FILENAME ":" start ": " FNR - start " lines: " what
		bad = 1
	}
	start = 0
}
{ lines[FILENAME] = FNR }
END {
	for (file in lines)
		if (lines[file] > 600) {
			print file ": " lines[file] " lines"
			bad = 1
		}
	exit bad
}' $sources
