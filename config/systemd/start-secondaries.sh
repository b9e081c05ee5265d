#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Starts control and each worker of the primary's configuration, until all of them serve. The
# primary has written their arguments. Called by knit.service.
set -eu

cd /run/knit/knit || {
	echo "knit: there is no primary with prefix \"knit\": eal.prefix must be that" >&2
	exit 1
}
set -- knit-control.service
for file in worker-*.args; do
	id=${file#worker-}
	set -- "$@" "knit-worker@${id%.args}.service"
done
exec systemctl start "$@"
