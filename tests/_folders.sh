# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# Sourced by scripts that work in folders of other Debian releases. Such a folder is made once;
# `rm -r` makes it anew, with the packages of that day. The script sets
#   FOLDERS                         the folder of the folders
#   FOLDER_SETUP                    shell code that mounts more; it runs in the folder, outside of
#                                   the chroot
# and gets
#   make_folder RELEASE PACKAGE...  makes FOLDERS/RELEASE with these packages if it is not there
#   in_folder RELEASE COMMAND...    runs COMMAND there, as root of a PID namespace of its own that
#                                   ends with it; for FOLDER_TIMEOUT seconds at most
#   compiler_of RELEASE             the version of its gcc

MIRROR=${KNIT_MIRROR:-http://deb.debian.org/debian}
FOLDER_SETUP=
FOLDER_TIMEOUT=900

make_folder() # release, package...
{
	local release=$1 root=$FOLDERS/$1 packages
	shift

	[ ! -f "$root/.complete" ] || return 0
	rm -rf "$root"
	mkdir -p "$root" || return 1
	echo "making a folder of $release"
	packages=$(IFS=, && echo "$*")
	timeout 1800 debootstrap --variant=minbase --include="$packages" "$release" "$root" \
		"$MIRROR" >"$FOLDERS/$release.log" 2>&1 || {
		tail -n 20 "$FOLDERS/$release.log"
		return 1
	}
	touch "$root/.complete"
}

# The folder is a mount point, as a root is; with /proc. The shell stays as PID 1: timeout(1) can't
# be that.
in_folder() # release, command...
{
	local root=$FOLDERS/$1
	shift

	# shellcheck disable=SC2016 # for the shell in there
	timeout "$FOLDER_TIMEOUT" unshare --mount --pid --fork --kill-child --propagation private \
		sh -ec 'mount --bind "$1" "$1"; cd "$1"; mount -t proc proc proc; eval "$2"; shift 2
			chroot . "$@" || exit $?' sh "$root" "$FOLDER_SETUP" "$@"
}

compiler_of() # release
{
	chroot "$FOLDERS/$1" gcc -dumpfullversion 2>/dev/null
}
