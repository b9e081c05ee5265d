#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Boots a folder with systemd in a container of its own and runs a command there, as a unit. Prints
# its output; the exit code is the command's. What the folder needs stays in it: its caller throws
# it away.
# usage: tests/boot.sh FOLDER COMMAND [ARGUMENT]...
#   KNIT_NSPAWN="OPTION..."   more options of systemd-nspawn
set -eu

root=$1
shift
unit=$root/etc/systemd/system
cat >"$unit/knit-test.service" <<UNIT
[Unit]
After=multi-user.target
SuccessAction=exit-force
FailureAction=exit-force
FailureActionExitStatus=1

[Service]
Type=oneshot
ExecStart=$*
StandardOutput=append:/var/log/knit-test
StandardError=inherit
TimeoutStartSec=300
UNIT
mkdir -p "$unit/default.target.wants"
ln -sf ../knit-test.service "$unit/default.target.wants"
: >"$root/var/log/knit-test"
# What knit looks at, and a container does not have by itself
options=(--bind=/dev/net/tun --bind-ro=/sys/module)
[ ! -e /dev/vfio ] || options+=(--bind=/dev/vfio)
read -ra more <<<"${KNIT_NSPAWN:-}"
status=0
# systemd-nspawn looks for a systemd of the host's in /run, and needs no more of it.
# shellcheck disable=SC2016 # for the shell in there
SYSTEMD_NSPAWN_API_VFS_WRITABLE=1 timeout 600 unshare --mount --propagation private sh -c \
	'mount -t tmpfs run /run && mkdir -p /run/systemd/system && exec systemd-nspawn "$@"' sh \
	--quiet --directory="$root" --boot --register=no --keep-unit --private-network \
	--capability=all --system-call-filter="pidfd_getfd kcmp @raw-io" --resolv-conf=off \
	--timezone=off "${options[@]}" "${more[@]}" --machine="knit-$$" --console=pipe </dev/null \
	>"$root/var/log/knit-boot" 2>&1 || status=$?
rm "$unit/default.target.wants/knit-test.service" "$unit/knit-test.service"
cat "$root/var/log/knit-test"
[ $status -eq 0 ] || tail -n 20 "$root/var/log/knit-boot"
exit $status
