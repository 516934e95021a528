# bash completion for smarthost(8)
_smarthost() {
	local word=${COMP_WORDS[COMP_CWORD]} last=${COMP_WORDS[COMP_CWORD-1]}
	case $last in
	--config-dir | --spool | dump)
		mapfile -t COMPREPLY < <(compgen -d -- "$word")
		return ;;
	--file | --password-file)
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return ;;
	--tls)
		mapfile -t COMPREPLY < <(compgen -W \
		    'none may encrypt verify implicit' -- "$word")
		return ;;
	--set)
		# Keys are what --help lists.
		mapfile -t COMPREPLY < <(compgen -S = -W "$(smarthost --help |
		    sed -n 's/^  \(config\.[a-z_.]*\)$/\1/p')" -- "$word")
		compopt -o nospace
		return ;;
	esac
	local words
	case $COMP_CWORD,${COMP_WORDS[1]},${COMP_WORDS[2]} in
	1,*) words=$(smarthost --help | sed -n 's/^  smarthost \([a-z-]*\).*/\1/p') ;;
	2,queue,*) words='list show retry delete' ;;
	2,spool,*) words='check dump' ;;
	2,dkim,*) words='keygen check' ;;
	*,send,*) words='--rcpt --from --file --to --tls --user
	    --password-file --config-dir --set' ;;
	*,doctor,*) words='--probe --address --json --config-dir --set' ;;
	*) words='--config-dir --set --spool' ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F _smarthost smarthost
