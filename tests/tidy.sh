#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Runs clang-tidy, with the checks of .clang-tidy, over the C files that the build compiles. Headers
# are checked where they are included. The modules' files are not in the build, except pure ones.
# usage: tests/tidy.sh [FILE...]     default: all
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
[ $# -gt 0 ] || readarray -t files < <(built_files | sort -u)
[ $# -eq 0 ] || files=("$@")
findings=$(printf '%s\n' "${files[@]}" |
	xargs -P "$(nproc)" -n 4 clang-tidy --quiet -p "$BUILD" 2>&1 |
	grep -v ' warnings\? \(generated\|treated as errors\)' | readable)
[ -z "$findings" ] || echo "$findings"
[ -z "$findings" ]
