#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The C files of a folder, for meson.build. GNUmakefile configures again when a folder has changed.
# usage: sources.sh FOLDER
cd "$(dirname "$0")" && ls "$1"/*.c
