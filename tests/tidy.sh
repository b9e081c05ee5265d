#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Runs clang-tidy, with the checks of .clang-tidy, over the C files that the build compiles. Headers
# are checked where they are included. The modules' files are not in the build, except pure ones.
# usage: tests/tidy.sh [--changed]
#   --changed   only files that differ from origin/main, or from the last commit without it
# Prints FILE:LINE:COLUMN: text for each finding. Exit code 1 if there was one.
set -u
export LC_ALL=C.UTF-8

cd "$(dirname "$0")/.." || exit 1
BUILD=${KNIT_BUILD:-build}

built_files()
{
	python3 - "$BUILD/compile_commands.json" <<'END'
import json, os, sys
for entry in json.load(open(sys.argv[1])):
    print(os.path.relpath(os.path.join(entry["directory"], entry["file"])))
END
}

changed_files()
{
	local base=origin/main

	git merge-base $base HEAD >/dev/null 2>&1 || base=HEAD
	git diff --name-only --diff-filter=d --merge-base $base -- '*.c'
	git ls-files --others --exclude-standard -- '*.c'
}

# Names as seen from here, each finding once.
readable()
{
	sed -E 's,^[^ ]*/\.\./,,; s,^\.\./,,' |
		awk '/^[^ ]+:[0-9]+:[0-9]+: (warning|error): / { new = !seen[$0]++ } new'
}

if ! command -v clang-tidy >/dev/null || [ ! -f "$BUILD/compile_commands.json" ]; then
	echo "tests/tidy.sh: needs clang-tidy, and \`make build\` before"
	exit 1
fi
files=$(built_files | sort -u)
case ${1:-} in
--changed) files=$(comm -12 <(echo "$files") <(changed_files | sort -u)) ;;
'') ;;
*)
	echo "usage: tests/tidy.sh [--changed]" >&2
	exit 2
	;;
esac
[ -n "$files" ] || exit 0
findings=$(echo "$files" | xargs -P "$(nproc)" -n 4 clang-tidy --quiet -p "$BUILD" 2>&1 |
	grep -v ' warnings\? \(generated\|treated as errors\)' | readable)
[ -z "$findings" ] || echo "$findings"
[ -z "$findings" ]
