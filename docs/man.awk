# Fills a manual page: `smarthost --help` comes first, then the page, in which
# @COMMANDS@, @KEYS@ and @VERSION@ stand alone or in a line.
function roff(s) {
	gsub(/\\/, "\\e", s)
	gsub(/-/, "\\-", s)
	sub(/^\./, "\\\\\\&.", s)
	sub(/^'/, "\\\\\\&'", s)
	return s
}
FILENAME == "-" {
	if (/^  smarthost /)
		commands = commands ".TP\n.B " roff(substr($0, 3)) "\n"
	else if (/^  config\.|^  users|^  domains/)
		keys = keys ".TP\n.B " roff($1) "\n"
	else if (/^      /) {
		text = roff(substr($0, 7)) "\n"
		if (keys == "") commands = commands text
		else keys = keys text
	}
	next
}
/^@COMMANDS@$/ { printf "%s", commands; next }
/^@KEYS@$/ { printf "%s", keys; next }
{ gsub(/@VERSION@/, version); print }
