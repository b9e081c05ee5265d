# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2034,SC2207 # set by _init_completion; words
# Completes the command lines of knit's programs, with the options that --help shows.

_knit_words() # words...
{
	COMPREPLY=($(compgen -W "$*" -- "$cur"))
}

# knit-bind bind DRIVER ADDRESS... | unbind ADDRESS...
_knit_bind_words()
{
	local drivers="vfio-pci igb_uio uio_pci_generic"

	if [[ $prev == bind || $prev == --for ]]; then
		_knit_words "$drivers"
	elif [[ " ${words[*]} " == *" "@(bind|unbind)" "* ]]; then
		_knit_words "$(ls /sys/bus/pci/devices)"
	else
		_knit_words "bind unbind"
	fi
}

# What stands before the current word: the command of knit, and the system.
_knit_read_words()
{
	local i

	command="" system=()
	for ((i = 1; i < cword; i++)); do
		case ${words[i]} in
		-P | --prefix)
			[[ ${words[i + 1]} == = ]] && i=$((i + 1)) # bash cuts there, too
			system=(--prefix "${words[++i]}")
			;;
		-[sindlSwt] | --@(seconds|since|number|direction|length|share|write|timeout))
			i=$((i + 1))
			;;
		-*) ;;
		*) [[ -n $command ]] || command=${words[i]} ;;
		esac
	done
}

# knit COMMAND, its options, and the names of what runs
_knit_command_words() # program
{
	local command system

	_knit_read_words
	if [[ $cur == -* && -n $command ]]; then
		_knit_words "$(_parse_help "$1" "$command --help")"
		return
	fi
	case $command:$prev in
	*:-d | *:--direction) _knit_words "rx tx" ;;
	*:-w | *:--write) _filedir ;;
	*:-[sinlSt] | *:--@(seconds|since|number|length|share|timeout)) ;;
	:*) _knit_words "$("$1" --help | sed -n 's/^  \([a-z]\+\).*/\1/p')" ;;
	@(show|trace|capture):@(port|interface|worker))
		_knit_words "$("$1" "${system[@]}" --json show "${prev}s" 2>/dev/null |
			grep -Eo '"(name|id)":"?[^",}]+' | sed 's/.*:"*//')"
		;;
	show:*)
		_knit_words "ports interfaces workers control drops memory config" \
			"port interface worker"
		;;
	@(trace|capture):*) _knit_words "port interface worker where" ;;
	monitor:*) _knit_words "system link port worker control process request interface" ;;
	log:log) _knit_words level ;;
	log:level) _knit_words "main kni kmod tap port req worker" ;;
	log:*) _knit_words "error warning notice info debug" ;;
	worker:worker) _knit_words "park resume restart replace" ;;
	worker:*)
		_knit_words "$("$1" "${system[@]}" --json show workers 2>/dev/null |
			grep -Eo '"id":[0-9]+' | sed 's/.*://')"
		;;
	@(check|reload):*) _filedir ;;
	bind:*) _knit_bind_words ;;
	esac
}

_knit()
{
	local cur prev words cword # _init_completion sets them

	_init_completion -n : || return
	# There it is --pretty and --since.
	[[ ${1##*/} == knit && $prev == -[pi] ]] && prev=""
	case $prev in
	-c | --config) _filedir ;;
	-P | -p | --prefix | --restore) _knit_words "$(ls /run/knit 2>/dev/null)" ;;
	-i | --id) _knit_words "$(seq 0 15)" ;;
	*)
		if [[ $cur == -* && (${1##*/} != knit || $cword -eq 1) ]]; then
			_knit_words "$(_parse_help "$1")"
		elif [[ ${1##*/} == knit-bind ]]; then
			_knit_bind_words
		elif [[ ${1##*/} == knit ]]; then
			_knit_command_words "$1"
		fi
		;;
	esac
	# An address has colons, at which bash cuts words.
	__ltrim_colon_completions "$cur"
}

complete -F _knit knit knit-primary knit-worker knit-control knit-bind knit-exporter
