#compdef knit-primary knit-worker knit-control knit-bind
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

case $service in
knit-primary)
	_arguments '(-c --config)'{-c,--config}'[configuration]:file:_files' \
		'--restore[prefix]:prefix:_knit_prefixes' --
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
