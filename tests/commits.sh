#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Checks the messages of new commits, as CONTRIBUTING.md asks for them. Merges are left out.
# usage: tests/commits.sh [RANGE]
#   RANGE   as git log takes it. Default: what origin/main does not have, or else what is newer than
#           the last tag, or else nothing. Commits from before this file are left out.
# KNIT_COMMITS is such a range, for who knows what is new: a fresh clone does not.
# Prints COMMIT: TEXT for each finding, then a line that says what was checked. Exit code 1 if there
# was a finding. A tree without git's history has nothing to check.
set -u
export LC_ALL=C.UTF-8

MAX_TITLE=72
MAX_COLUMNS=100
# A commit that changes more lines than this says why.
TRIVIAL_LINES=20
WORD='[A-Za-z0-9_.*/-]+'
FORM="^$WORD( $WORD)?(, $WORD)*: [^ ].*[^.]$"
# What begins no imperative: articles and the like, and words such as "adds", "added", "adding"
NO_VERB='^(the|an?|one|no|new|more|all|each|its?|this|that|what|[a-z]*([^aisu]s|[^e]ed|ing))$'
VERB='^(bring|embed|ping|shed)$'

# Prints how git names what to check, a tab, and how people do.
new_commits()
{
	local tag since

	since=$(git log --diff-filter=A --format=^%H -- tests/commits.sh | tr '\n' ' ')
	if git merge-base origin/main HEAD >/dev/null 2>&1; then
		printf 'origin/main..HEAD %s\tnot in origin/main' "$since"
	elif tag=$(git describe --tags --abbrev=0 HEAD 2>/dev/null); then
		printf '%s..HEAD %s\tnewer than %s' "$tag" "$since" "$tag"
	else
		printf -- '-0 HEAD\tno origin/main, no tag'
	fi
}

# The first commit of a shallow clone has all files as its change: nobody knows its own.
changed_lines() # commit
{
	local boundaries

	boundaries=$(git rev-parse --git-path shallow)
	if [ -f "$boundaries" ] && grep -q "$1" "$boundaries"; then
		echo 0
	else
		git show -M --numstat --format= "$1" | awk '{ n += $1 + $2 } END { print n + 0 }'
	fi
}

check_title() # title
{
	local verb=${1#*: }

	[ ${#1} -le $MAX_TITLE ] || echo "title: ${#1} characters, more than $MAX_TITLE"
	if [[ $1 =~ ^Revert\ \" ]]; then
		:
	elif [[ ! $1 =~ $FORM ]]; then
		echo "title: not 'area: imperative': $1"
	elif [[ ${verb%% *} =~ $NO_VERB && ! ${verb%% *} =~ $VERB ]]; then
		echo "title: '${verb%% *}' is no imperative: $1"
	fi
}

check_body() # changed lines, line of the message...
{
	local changed=$1 line has_text=0
	shift 2

	[ -z "${1:-}" ] || echo "the second line is not blank"
	for line in "$@"; do
		# An address may be as long as it is.
		[ ${#line} -le $MAX_COLUMNS ] || [[ $line != *" "* ]] ||
			echo "more than $MAX_COLUMNS columns: $line"
		[[ -z $line || $line =~ ^[A-Z][A-Za-z-]+-by:\  ]] || has_text=1
	done
	[ $has_text = 1 ] || [ "$changed" -le $TRIVIAL_LINES ] ||
		echo "$changed lines change, and no body says why"
}

check_commit() # commit
{
	local lines

	mapfile -t lines < <(git log -1 --format=%B "$1")
	check_title "${lines[0]:-}"
	check_body "$(changed_lines "$1")" "${lines[@]}"
}

# Of a tree that is a part of another one, the history is the other's.
if ! prefix=$(git rev-parse --show-prefix 2>&1) && [ -e .git ]; then
	echo "$prefix"
	exit 1
elif [ -n "$prefix" ] || ! git rev-parse -q --verify HEAD >/dev/null; then
	echo "commits: no history here"
	exit 0
fi
set -- "${1:-${KNIT_COMMITS:-}}"
if [ -n "$1" ]; then
	range=$1
	name=$1
else
	IFS=$'\t' read -r range name < <(new_commits && echo)
fi
# shellcheck disable=SC2086 # words
commits=$(git rev-list --no-merges --reverse $range --) || exit 1
failed=0
for commit in $commits; do
	found=$(check_commit "$commit")
	[ -n "$found" ] || continue
	sed "s/^/${commit:0:12}: /" <<<"$found"
	failed=1
done
echo "commits: checked $(wc -w <<<"$commits") ($name)"
exit $failed
