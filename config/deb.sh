#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Builds the Debian packages for the release that runs here, in a copy of the tree: FOLDER/knit.
# They are then in FOLDER. They fit only the DPDK of their release, so their version names it.
# usage: config/deb.sh FOLDER
set -eu

mkdir -p "$1"
to=$(realpath "$1")
cd "$(dirname "$0")/.."
# shellcheck source=/dev/null
release=$(. /etc/os-release && echo "${VERSION_ID:-}")

rm -rf "$to/knit" "$to"/*.deb
mkdir "$to/knit"
tar -c --exclude-vcs --exclude='./build*' --exclude='*/__pycache__' . | tar -x -C "$to/knit"
cd "$to/knit"
sed -i "1s/(\(.*\))/(\1${release:++deb$release})/" debian/changelog
dpkg-buildpackage --build=binary --no-sign
ls "$to"/*.deb
