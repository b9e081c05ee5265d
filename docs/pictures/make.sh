#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Draws the pictures of docs/ from a running system: knit top, a trace, and what a Prometheus that
# scrapes it has for the dashboard. Takes a minute, root, and what `config/deps.sh smoke` installs.
# usage: docs/pictures/make.sh FOLDER     for `make pictures`
#
#   netns left                    netns middle: kl 10.6.0.2                netns right
#   left0 10.6.0.1 --- port left ------- worker 0 ------- port right ---- right0 10.6.0.3
OUT=$(realpath "$1")
TESTS=$(dirname "$(realpath "$0")")/../../tests/smoke
# shellcheck source=tests/smoke/_init.sh
. "$TESTS/_init.sh"
# shellcheck source=tests/smoke/_system.sh
. "$TESTS/_system.sh"

KNIT=$KNIT_BUILD/tools/knit/knit
DRAW=$ROOT/docs/pictures/draw.py
SECONDS_OF_TRAFFIC=60
PROMETHEUS=127.0.0.1:9090

terminal() # tmux's command...
{
	tmux -L "$PREFIX" -f /dev/null "$@"
}

screen_shows() # text
{
	terminal capture-pane -p | grep -qF -e "$1"
}

listens()
{
	[ -n "$(in_ns right ss -Htln "sport = 5201")" ]
}

# Traffic of hosts, some for the kernel, and something that is lost: broadcasts of a port without
# an interface.
traffic()
{
	start_in left stream iperf3 --client 10.6.0.3 --time "$SECONDS_OF_TRAFFIC" --bitrate 60M \
		--interval 0
	start_in left to-kernel ping -q -i 0.002 -w "$SECONDS_OF_TRAFFIC" 10.6.0.2
	start_in right lost ping -q -b -i 0.05 -w "$SECONDS_OF_TRAFFIC" 10.6.0.255
}

picture_of_top()
{
	terminal new-session -d -x 112 -y 16 "'$KNIT' --prefix '$PREFIX' top"
	wait_for 20 screen_shows "BUSY" || die "knit top draws nothing"
	terminal send-keys Down
	terminal resize-window -x 112 -y 15
	wait_for 10 screen_shows "BUSY" || die "knit top draws nothing any more"
	terminal capture-pane -e -p >"$TMP/top.txt"
	terminal kill-server
	"$DRAW" text "# knit top" "$TMP/top.txt" "$OUT/knit-top.svg"
}

picture_of_a_trace()
{
	timeout 20 "$KNIT" --prefix "$PREFIX" trace -n 3 where icmp >"$TMP/trace.txt" ||
		die "no trace"
	"$DRAW" text "# knit trace -n 3 where icmp" "$TMP/trace.txt" "$OUT/knit-trace.svg"
}

prometheus_up()
{
	cat >"$TMP/prometheus.yml" <<-END
		global: { scrape_interval: 1s }
		scrape_configs:
		  - job_name: knit
		    static_configs: [ { targets: [ "127.0.0.1:9845" ] } ]
	END
	start exporter "$KNIT_BUILD/tools/knit-exporter/knit-exporter" --prefix "$PREFIX"
	start prometheus prometheus --config.file="$TMP/prometheus.yml" \
		--storage.tsdb.path="$TMP/prometheus" --web.listen-address=$PROMETHEUS
}

netns left middle right
tap_port left left
tap_port right right
interface kl left middle
worker 0 "xconnect left right"
system_up
address middle kl 10.6.0.2/24
address left left0 10.6.0.1/24
address right right0 10.6.0.3/24
wait_for 10 has_carrier middle kl || die "kl has no carrier"
# Broadcasts go to the kernel: the hosts need to know each other.
ip -n left neigh add 10.6.0.3 lladdr "$(mac_of right right0)" dev left0
ip -n right neigh add 10.6.0.1 lladdr "$(mac_of left left0)" dev right0
prometheus_up
start_in right server iperf3 --server --one-off
wait_for 10 listens || die "no iperf3 server"
traffic
picture_of_top
picture_of_a_trace
wait "${PID[to-kernel]}"
"$DRAW" dashboard "$ROOT/config/grafana/knit.json" "http://$PROMETHEUS" "$OUT/dashboard.svg" ||
	die "no dashboard"
stop prometheus
stop exporter
system_down
ok "pictures"
