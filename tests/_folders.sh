# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# Sourced by scripts that work in folders of other Debian releases. Such a folder is made once;
# `rm -r` makes it anew, with the packages of that day. The script sets ROOT and
#   FOLDERS                         the folder of the folders
#   FOLDER_SETUP                    shell code that mounts more; it runs in the folder, outside of
#                                   the chroot. FOLDER_SOURCES has the sources as /knit, read-only,
#                                   a /build that stays, this machine's devices, and a hugetlbfs
#                                   of its own: processes of two folders may have the same pid
#   FOLDER_UNSHARE                  more options of unshare(1)
#   FOLDER_TIMEOUT                  seconds
# and gets
#   make_folder RELEASE PACKAGE...  makes FOLDERS/RELEASE with these packages if it is not there
#   in_folder FOLDER COMMAND...     runs COMMAND in FOLDERS/FOLDER, as root of a PID namespace of
#                                   its own that ends with it; for FOLDER_TIMEOUT at most
#   apt_in_folder FOLDER ARGUMENT...  apt-get there
#   copy_sources FOLDER             copies them there, for what writes beside them
#   compiler_of RELEASE             the version of its gcc

MIRROR=${KNIT_MIRROR:-http://deb.debian.org/debian}
FOLDER_SETUP=
FOLDER_UNSHARE=
FOLDER_TIMEOUT=900
# shellcheck disable=SC2034 # for the scripts
FOLDER_SOURCES="
	mkdir -p knit build
	mount --bind '$ROOT' knit
	mount -o remount,bind,ro knit
	mount --rbind /dev dev
	mount -t hugetlbfs huge dev/hugepages
	mount --rbind /sys sys
	mount -t tmpfs tmpfs run"

make_folder() # release, package...
{
	local release=$1 root=$FOLDERS/$1 include=()
	shift

	[ ! -f "$root/.complete" ] || return 0
	rm -rf "$root"
	mkdir -p "$root" || return 1
	echo "making a folder of $release"
	[ $# -eq 0 ] || include=("--include=$(IFS=, && echo "$*")")
	timeout 1800 debootstrap --variant=minbase "${include[@]}" "$release" "$root" \
		"$MIRROR" >"$FOLDERS/$release.log" 2>&1 || {
		tail -n 20 "$FOLDERS/$release.log"
		return 1
	}
	echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/folder"
	# A mirror of unstable that stands still has lists that expire.
	echo 'Acquire::Check-Valid-Until "false";' >"$root/etc/apt/apt.conf.d/folder"
	touch "$root/.complete"
}

# The folder is a mount point, as a root is; with /proc. The shell stays as PID 1: timeout(1) can't
# be that.
in_folder() # folder, command...
{
	local root=$FOLDERS/$1
	shift

	# shellcheck disable=SC2016,SC2086 # for the shell in there; words
	timeout "$FOLDER_TIMEOUT" unshare --mount --pid $FOLDER_UNSHARE --fork --kill-child \
		--propagation private sh -ec 'mount --bind "$1" "$1"; cd "$1"
			mount -t proc proc proc; eval "$2"; shift 2
			chroot . "$@" || exit $?' sh "$root" "$FOLDER_SETUP" "$@"
}

# In this machine's network, without what the script mounts: an installation sees only the folder.
apt_in_folder() # folder, argument...
{
	local folder=$1 FOLDER_SETUP='' FOLDER_UNSHARE=''
	shift

	in_folder "$folder" env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
		-o Acquire::Retries=3 --no-install-recommends "$@" </dev/null
}

copy_sources() # folder
{
	rm -rf "$1"
	mkdir -p "$1" && tar -C "$ROOT" -c --exclude-vcs --exclude='./build*' . | tar -x -C "$1"
}

compiler_of() # release
{
	chroot "$FOLDERS/$1" gcc -dumpfullversion 2>/dev/null
}
