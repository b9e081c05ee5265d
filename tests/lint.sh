#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Checks what a compiler does not: one line `ok lint-NAME` or `not ok lint-NAME` per check, the
# findings above it as FILE:LINE: text. Exit code 1 if there was one.
# shellcheck disable=SC2317 # check_NAME is called by name
set -u
export LC_ALL=C.UTF-8

cd "$(dirname "$0")/.." || exit 1
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
exec 3>&1
failed=0
CHECKS="format spdx space spelling shell tokens dependencies size paths links version commits"
CHECKS+=" api plot metrics units"
MAX_LINES=600
MAX_COLUMNS=100
BUILD=${KNIT_BUILD:-build}

# files PATTERN...: sources whose names match
files()
{
	local pattern tests=()

	for pattern in "$@"; do
		tests+=(-o -path "./$pattern")
	done
	find . \( -name .git -o -path './build' -o -path './build-*' -o -name __pycache__ \) \
		-prune -o -type f ! -name '*.mod.c' \( "${tests[@]:1}" \) -print |
		sed 's,^\./,,' | sort
}

# verdict NAME FINDINGS: no findings is good. `skip NAME WHY` as the only one: it was not done.
verdict()
{
	if grep -qx "skip lint-$1 .*" "$2"; then
		cat "$2"
	elif [ -s "$2" ]; then
		cat "$2"
		echo "not ok lint-$1"
		failed=1
	else
		echo "ok lint-$1"
	fi
}

# code FILE...: the C text as FILE:LINE:text, comments blanked
code()
{
	awk '
	FNR == 1 { inside = 0 }
	{
		line = $0
		out = ""
		while (line != "") {
			if (inside) {
				end = index(line, "*/")
				if (!end)
					break
				line = substr(line, end + 2)
				inside = 0
				continue
			}
			start = index(line, "/*")
			if (!start) {
				out = out line
				break
			}
			out = out substr(line, 1, start - 1)
			line = substr(line, start + 2)
			inside = 1
		}
		sub(/\/\/ .*/, "", out)
		print FILENAME ":" FNR ":" out
	}' "$@" /dev/null
}

check_format()
{
	local version

	if ! version=$(clang-format --version | grep -o 'version [0-9]*'); then
		echo "clang-format is missing"
	elif [ "$version" != "version 14" ]; then
		echo "skip lint-format clang-format 14 decides what is well formatted, and this" \
			"is $version, which does some lines in another way"
	else
		xargs -a "$TMP/c" clang-format --dry-run -Werror 2>&1 | grep -E ': (error|warning)'
	fi
}

# The licence that belongs into the first three lines of a file
licence_of()
{
	case $1 in
	include/abi/* | common/pure/*.[ch])
		echo '((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)'
		;;
	kmod/* | tests/abi/*.c | tests/abi/Kbuild) echo 'GPL-2.0' ;;
	*) echo 'BSD-3-Clause' ;;
	esac
}

check_spdx()
{
	local file want line

	while read -r file; do
		want="SPDX-License-Identifier: $(licence_of "$file")"
		line=$(head -n 3 "$file" | grep -F 'SPDX-License-Identifier:')
		line=${line#*SPDX-}
		line="SPDX-${line%% \*/}"
		[ "$line" = "$want" ] || echo "$file:1: no '$want'"
	done <"$TMP/all"
	while read -r file; do
		[[ $(head -n 1 "$file") == "// "* ]] || echo "$file:1: // SPDX comes first"
	done < <(grep '\.c$' "$TMP/all")
}

check_space()
{
	local file

	xargs -a "$TMP/text" grep -nP '[ \t]+$|\r| +\t' | cut -c 1-120
	while read -r file; do
		[ -z "$(tail -c 1 "$file")" ] || echo "$file: no newline at the end"
		[ -s "$file" ] || echo "$file: empty"
	done <"$TMP/text"
}

check_spelling()
{
	command -v codespell >/dev/null || echo "codespell is missing"
	xargs -a "$TMP/text" codespell 2>&1
}

check_shell()
{
	command -v shellcheck >/dev/null || echo "shellcheck is missing"
	xargs -a "$TMP/shell" shellcheck -S warning -x -f gcc --source-path=SCRIPTDIR
}

# forbid REGEX WHY < code
forbid()
{
	grep -P "^[^:]*:[0-9]+:.*($1)" | sed "s|\$|   <- $2|"
}

check_tokens()
{
	local all=$TMP/code

	# The library logs. What knit's programs share may also tell errors to whom it is given.
	grep '^common/kni/' "$all" |
		forbid '\b(v?f?printf|f?puts|putchar|perror)\s*\(' 'a library does not print: log.h'
	grep '^common/' "$all" | forbid '(?<!\w)(v?printf|puts|putchar)\s*\(' 'log.h, or a FILE'
	grep '^common/' "$all" | forbid '(?<![\w_])(exit|abort)\s*\(' 'a library does not exit'
	grep -vE '^([^:]*/)?([a-z_]*_)?main\.c:' "$all" | grep -v '^tests/' |
		forbid '\brte_exit\s*\(' 'only main may exit'
	forbid '(?<!asm )(?<!asm__ )\bvolatile\b(?! sig_atomic_t)' 'use atomics' <"$all"
	forbid '(?<![\w_])(system|popen)\s*\(' 'no shell' <"$all"
	forbid '"/bin/(ba)?sh"' 'no shell' <"$all"
	forbid '\btypedef\s+(struct|union|enum)\b' 'structs are called struct' <"$all"
	grep -v '^kmod/kni/datapath/kni_merge\.h:' "$all" |
		forbid '\b(LINUX_VERSION_CODE|KERNEL_VERSION)\b' 'ask the headers: Kbuild'
	xargs -a "$TMP/text" grep -nP '\b(T[O]DO|F[I]XME|X[X]X|H[A]CK)\b'
	# wait_for in _init.sh and demo.sh is where scripts wait.
	xargs -a "$TMP/shell" grep -nP '^[^#]*(?<![\w.-])sleep\s' | grep '^tests/' |
		awk -F: '$1 != "tests/smoke/_init.sh" || seen++ { print $0 "   <- poll: wait_for" }'
}

check_dependencies()
{
	if [ -f "$BUILD/compile_commands.json" ]; then
		tests/law.py "$BUILD"
		tests/law_test.py 2>"$TMP/law" || cat "$TMP/law"
	else
		echo "$BUILD is missing: make build"
	fi
	grep -E '^include/abi/' "$TMP/code" | grep -E '#\s*include\s*<' |
		grep -vE '<(linux/[a-z_]+|asm/barrier|stdbool|stddef)\.h>' |
		sed 's/$/   <- kernel or freestanding headers only/'
	grep -E '^kmod/' "$TMP/code" | grep -E '#\s*include\s*<(rte_|std)' |
		sed 's/$/   <- a module has no DPDK and no libc/'
}

check_size()
{
	local file lines

	while read -r file; do
		lines=$(wc -l <"$file")
		[ "$lines" -le $MAX_LINES ] || echo "$file: $lines lines, more than $MAX_LINES"
		expand -t 8 "$file" | grep -nE "^.{$((MAX_COLUMNS + 1))}" |
			sed "s|^\([0-9]*\):.*|$file:\1: more than $MAX_COLUMNS columns|"
	done <"$TMP/all"
}

# `file : function` in the documents: the file is there and defines the function.
check_paths()
{
	local doc file function found=0

	while IFS=: read -r doc file function; do
		found=$((found + 1))
		file=${file// /}
		function=${function// /}
		function=${function%()}
		if [ ! -f "$file" ]; then
			echo "$doc: there is no $file"
		elif ! grep -qE "^[^[:space:]#/].*\b$function\(|^$function\(" "$file"; then
			echo "$doc: $file has no function $function"
		fi
	done < <(xargs -a "$TMP/md" grep -oHE '`[A-Za-z0-9_./-]+\.[ch] ?: ?[A-Za-z0-9_]+(\(\))?`' |
		tr -d '`')
	[ $found -ge 10 ] || echo "docs: the tables of the two paths are missing ($found rows)"
}

# anchors FILE: the anchors of its headings, as GitHub makes them
anchors()
{
	grep -E '^#+ ' "$1" | sed -E 's/^#+ //' | tr '[:upper:]' '[:lower:]' |
		sed -E 's/[^[:alnum:] _-]//g; s/ /-/g'
}

# Links to files and to headings
check_links()
{
	local doc link target

	while IFS=: read -r doc link; do
		target=$doc
		[[ $link == "#"* ]] || target=$(dirname "$doc")/${link%%#*}
		if [ ! -e "$target" ]; then
			echo "$doc: links to $link, which is not there"
		elif [[ $link == *"#"* ]] && ! anchors "$target" | grep -qxF -- "${link#*#}"; then
			echo "$doc: links to $link, but there is no such heading"
		fi
	done < <(xargs -a "$TMP/md" grep -oHP '\]\(\K(?![a-z]+:)[^)]+')
}

# The version is in VERSION, and what is newest in CHANGELOG.md and debian/changelog is about it.
# debian/*.symbols.in says with which version a function came.
check_version()
{
	local version

	version=$(<VERSION)
	files '*' | grep -vxE 'VERSION|CHANGELOG\.md|debian/(changelog|.*\.in)' | xargs grep -nHIP \
		"(?<![\d.])\Q$version\E(?![\d.])|VERSION(\(|=)\"\d|\bversion *[:=] *['\"]\d" |
		grep -v meson_version: | sed 's/$/   <- VERSION says it/'
	grep -m 1 '^## ' CHANGELOG.md | grep -qP "^## \Q$version\E\b" ||
		echo "CHANGELOG.md: its first version is not $version"
	[[ $(head -n 1 debian/changelog) == "knit ($version) "* ]] ||
		echo "debian/changelog:1: its version is not $version"
}

# Says also what it looked at: that depends on what the clone knows.
check_commits()
{
	tests/commits.sh >"$TMP/commits" 2>&1 || cat "$TMP/commits"
	tail -n 1 "$TMP/commits" >&3
	tests/commits_test.py 2>"$TMP/commits" || cat "$TMP/commits"
}

# doxygen understands rte_kni.h, and nothing in it is without a comment.
check_api()
{
	make -s -o deps-docs docs BUILD="$TMP/api"
}

# The plot shows its figures.
check_plot()
{
	tests/bench/run --plot docs/bench.json "$TMP/bench.svg"
	cmp "$TMP/bench.svg" docs/bench.svg
}

# What comes from the table of metrics is as make metrics writes it. promtool understands the rules
# and the expressions of the dashboard, and each alert is raised by what it is about.
check_metrics()
{
	local exporter=$BUILD/tools/knit-exporter/knit-exporter file

	command -v promtool >/dev/null || echo "promtool is missing (prometheus)"
	config/grafana/make.py "$exporter" "$TMP/metrics"
	for file in docs/METRICS.md config/grafana/knit.json config/grafana/knit.rules.yml; do
		cmp "$TMP/metrics/$file" $file || echo "$file: make metrics writes it anew"
	done
	tests/alerts.py "$exporter" "$TMP/metrics"
}

# exposures: what docs/RUNNING.md says of each unit, as UNIT FIGURE
exposures()
{
	sed -nE 's/^\| `([a-z@-]+\.service)` \| ([0-9.]+) \|.*/\1 \2/p' docs/RUNNING.md
}

# systemd understands the units, and none is more exposed than docs/RUNNING.md says.
check_units()
{
	local unit figure file

	command -v systemd-analyze >/dev/null || echo "systemd-analyze is missing"
	mkdir "$TMP/units"
	for file in config/systemd/*.in; do
		sed 's,^\(Exec[A-Z][a-z]*\)=@[^ ]*,\1=/bin/true,; s,@[a-z]*@,/usr,' "$file" \
			>"$TMP/units/$(basename "$file" .in)"
	done
	systemd-analyze verify --man=no "$TMP"/units/*
	[ "$(exposures | wc -l)" -ge 4 ] || echo "docs/RUNNING.md: no table of units"
	while read -r unit figure; do
		figure=$((10#${figure/./}))
		systemd-analyze security --offline=true --no-pager --threshold=$figure \
			"$TMP/units/$unit" >"$TMP/exposure" 2>&1 && continue
		tail -n 1 "$TMP/exposure"
		echo "docs/RUNNING.md: $unit: $figure tenths at most"
	done < <(exposures)
}

run() # name: runs check_NAME
{
	"check_$1" >"$TMP/found" 2>&1
	verdict "$1" "$TMP/found"
}

files '*.c' '*.h' >"$TMP/c"
DEBIAN=('debian/*.p[or]*' 'debian/tests/*[!l]')
files '*.sh' .ci/run '*.bash' "${DEBIAN[@]}" >"$TMP/shell"
files '*.c' '*.h' '*.sh' '*.py' '*.build' meson_options.txt GNUmakefile '*/Makefile' '*Kbuild' \
	.ci/run 'tests/*/run' '*.cfg' '*.map' '*.service' '*.service.in' \
	'*.target' '*.rules' '*.conf' docs/Doxyfile \
	'*.bash' '*.zsh' debian/rules "${DEBIAN[@]}" >"$TMP/all"
files '*.md' >"$TMP/md"
cat "$TMP/all" "$TMP/md" >"$TMP/text"
# shellcheck disable=SC2046 # no source has a blank in its name
code $(cat "$TMP/c") >"$TMP/code"

for name in $CHECKS; do
	run "$name"
done
exit $failed
