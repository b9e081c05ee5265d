#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# knit show config: all keys with their values, as a file that says the same when it is read.
#
#   netns far: left0, right0, third0, kl, ka, kb; only a primary runs
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/_init.sh"
# shellcheck source=tests/smoke/_system.sh
. "$(dirname "$0")/_system.sh"

# Each key of the reference stands there; of port, ports and interfaces a rule has one.
all_keys_are_there()
{
	local key

	for key in $("$KNIT_BUILD/primary/knit-primary" --help-config |
		sed -n 's/^  \([a-z_]*\): .*/\1/p; s/^\([a-z]*\) = .*/\1/p'); do
		grep -Eq "^ *(\(?\{ )?$key = " "$TMP/shown.cfg" || {
			echo "no $key"
			return 1
		}
	done
}

as_json()
{
	knit show config -j | python3 -c '
import json, sys
config = json.load(sys.stdin)["config"]
left, right = config["ports"][:2]
assert left["rx_desc"] == 32 and left["netns"] == "far" and left["tso"] is False, left
assert right["tx_desc"] == 512 and right["rx_spread"] == "auto", right
assert config["interfaces"][0]["port"] == "left" and "port" not in config["interfaces"][1]
assert config["interfaces"][0]["core"] == -1 and config["interfaces"][0]["mac"][:3] == "02:"
assert config["tap"]["kthread_mode"] == "multiple", config["tap"]
assert config["workers"][0]["forward"] == [
    {"mode": "punt", "port": "left"},
    {"mode": "xconnect", "ports": ["right", "third"]},
    {"mode": "xconnect", "interfaces": ["ka", "kb"]}], config["workers"]'
}

# What is shown is a file, and a primary that reads it shows the same.
reads_again()
{
	"$KNIT_BUILD/primary/knit-primary" --check-config --config "$TMP/shown.cfg" || return 1
	stop primary
	cp "$TMP/shown.cfg" "$TMP/knit.cfg"
	start_primary
	knit show config | diff "$TMP/shown.cfg" -
}

netns far
setting tap 'cpus = "0"; kthread_mode = "multiple";'
tap_port left far 'tso = false;'
tap_port right far
tap_port third far
interface kl left far 'mac = "02:00:00:00:00:01";'
interface ka "" far
interface kb "" far
worker 0 "punt left" "xconnect right third" "join ka kb"
write_config
start_primary
knit show config >"$TMP/shown.cfg"
check "all keys" all_keys_are_there
check "as JSON" as_json
check "it is a file that says the same" reads_again
stop primary
check "primary ends well" [ "$STATUS" -eq 0 ]
