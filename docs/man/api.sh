#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# rte_kni(3) and the pages of its structs, from the comments of rte_kni.h. Each function has a page
# that leads there.
# usage: api.sh FOLDER FUNCTION...   writes them into FOLDER
set -eu

to=$(realpath "$1")
shift
cd "$(dirname "$0")/../.."
KNIT_VERSION=$(cat VERSION)
KNIT_BUILD=$(mktemp -d)
export KNIT_VERSION KNIT_BUILD
trap 'rm -rf "$KNIT_BUILD"' EXIT

{
	cat docs/Doxyfile
	echo "GENERATE_HTML = NO"
	echo "GENERATE_MAN = YES"
} | doxygen -
pages=$KNIT_BUILD/docs/man/man3
mv "$pages/rte_kni.h.3" "$pages/rte_kni.3"
for page in rte_kni rte_kni_conf rte_kni_ext_conf rte_kni_ops; do
	# The page is called as the library is; no date, so that it is the same every day. groff has
	# no font C any more.
	sed -e 's/\\fC/\\fB/g' -e '1s/"rte_kni\.h"/"rte_kni"/; 1s/" 3 "[^"]*"/" 3 ""/' \
		-e 's/^rte_kni\.h \\- /rte_kni \\- /' "$pages/$page.3" >"$to/$page.3"
done
for function in "$@"; do
	echo ".so man3/rte_kni.3" >"$to/$function.3"
done
