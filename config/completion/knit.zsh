#compdef knit knit-primary knit-worker knit-control knit-bind knit-exporter
# SPDX-License-Identifier: BSD-3-Clause
# Completes the command lines of knit's programs, with the options that --help shows.

_knit_prefixes() { compadd -- /run/knit/*(N:t) }
_knit_addresses() { compadd -- /sys/bus/pci/devices/*(N:t) }
_knit_bind_words()
{
	local drivers=(vfio-pci igb_uio uio_pci_generic)

	if [[ $words[CURRENT-1] == bind ]]; then
		compadd -- $drivers
	elif (( $words[(I)bind] || $words[(I)unbind] )); then
		_knit_addresses
	else
		compadd -- bind unbind
	fi
}

# The system that the command line names, as an option
_knit_system()
{
	local at=${words[(I)(-P|--prefix)]}

	system=()
	(( at && at < CURRENT - 1 )) && system=(--prefix $words[at+1])
	[[ -n ${words[(r)--prefix=*]} ]] && system=(${words[(r)--prefix=*]})
}
_knit_names() # kind
{
	local system

	_knit_system
	compadd -- ${(f)"$(knit $system --json show ${1}s 2>/dev/null |
		grep -Eo '"(name|id)":"?[^",}]+' | sed 's/.*:"*//')"}
}
_knit_command_words()
{
	case $words[CURRENT-1] in
	worker)
		if [[ $words[2] == worker ]]; then
			compadd -- park resume restart replace
		else
			_knit_names worker
		fi
		;;
	park|resume|restart|replace) _knit_names worker ;;
	port|interface) _knit_names $words[CURRENT-1] ;;
	show)
		compadd -- ports interfaces workers control drops memory config \
			port interface worker
		;;
	trace|capture) compadd -- port interface worker where ;;
	-d|--direction) compadd -- rx tx ;;
	-w|--write) _files ;;
	monitor) compadd -- system link port worker control process request interface ;;
	log) compadd -- level ;;
	level) compadd -- main kni kmod tap port req worker ;;
	check|reload) _files ;;
	*)
		if (( $words[(I)bind] )); then
			_knit_bind_words
		else
			compadd -- ${(f)"$(knit --help | sed -n 's/^  \([a-z]\+\).*/\1/p')"}
		fi
		;;
	esac
}

case $service in
knit)
	_arguments '(-P --prefix)'{-P,--prefix}'[of the primary]:prefix:_knit_prefixes' \
		'*: :_knit_command_words' --
	;;
knit-primary)
	_arguments '(-c --config)'{-c,--config}'[configuration]:file:_files' \
		'--restore[prefix]:prefix:_knit_prefixes' --
	;;
knit-exporter)
	_arguments '(-P --prefix)'{-P,--prefix}'[of the primary]:prefix:_knit_prefixes' --
	;;
knit-bind)
	_arguments '--for[driver]:driver:(vfio-pci igb_uio uio_pci_generic)' \
		'*: :_knit_bind_words' --
	;;
*)
	_arguments '(-p --prefix)'{-p,--prefix}'[of the primary]:prefix:_knit_prefixes' \
		'(-i --id)'{-i,--id}'[of the worker]:number:({0..15})' --
	;;
esac
