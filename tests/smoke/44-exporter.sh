#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# knit-exporter: 30 ports that lose nothing, two that carry pings, and 64 interfaces, scraped by a
# real Prometheus; without a primary, with one that stands still, and with another one.
#
#   netns left                                                   netns near: k0 ... k31,
#   left0 10.6.0.1 --- port p0 --- worker 0 --- k0 10.6.0.2       ja0 ... ja15, jb0 ... jb15
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/_init.sh"
# shellcheck source=tests/smoke/_system.sh
. "$(dirname "$0")/_system.sh"

export EXPORTER=$KNIT_BUILD/tools/knit-exporter/knit-exporter
GROUP_ID=42317
CONFIG=$TMP/knit.cfg
URL=http://127.0.0.1:9845/metrics

exporter() # check, argument...
{
	/usr/bin/python3 "$ROOT/tests/smoke/exporter.py" "$1" "$URL" "${@:2}"
}

start_exporter() # name, option...
{
	start "$1" "$EXPORTER" --prefix "$PREFIX" "${@:2}"
	wait_for 5 grep -q "has the metrics of prefix $PREFIX" "$TMP/$1.log"
}

up_is() # 0 or 1
{
	exporter is knit_up "$1"
}

# Members of the group may ask.
start_primary()
{
	[ -e "$CONFIG" ] || cp "$TMP/knit.cfg" "$CONFIG"
	start primary "$KNIT_BUILD/primary/knit-primary" --config "$CONFIG" --group $GROUP_ID
	wait_for 30 serves_or_failed
	serves || die "primary does not serve"
}

usage()
{
	local address

	check "unknown option" says 2 "unrecognized option" "$EXPORTER" --colour
	check "an argument" says 2 "it has no arguments: x" "$EXPORTER" x
	check "bad prefix" says 2 'prefix: found "a/b"' "$EXPORTER" --prefix a/b
	check "no prefix" says 2 'prefix: found ""' "$EXPORTER" --prefix ""
	for address in "" : 127.0.0.1 127.0.0.1: 127.0.0.1:x 127.0.0.1:65536 127.0.0.1:-1 \
		::1:9845 "[::1]" "[127.0.0.1]x:9845" localhost:9845 127.0.0.1:9845x; do
		check "listen: '$address'" says 2 "an address and a port are expected" \
			"$EXPORTER" --listen "$address"
	done
	check "listen: an address of another machine" says 4 "Cannot assign requested address" \
		"$EXPORTER" --listen 192.0.2.1:9845
	check "help" says 0 "^usage: knit-exporter " "$EXPORTER" --help
	check "version" says 0 "^knit-exporter [0-9]" "$EXPORTER" --version
	check "a full disk" says 1 "standard output: No space left" \
		sh -c "'$EXPORTER' --list >/dev/full"
}

good_page()
{
	exporter text >"$TMP/page" && promtool check metrics <"$TMP/page" >"$TMP/lint" 2>&1 &&
		[ ! -s "$TMP/lint" ]
}

configure()
{
	local i rules=("punt p0")

	netns left near
	port p0 "net_tap0,iface=left0" left "rx_desc = 32; tx_desc = 64;"
	interface k0 p0 near "ring_size = 128;"
	for i in {1..31}; do
		port "p$i" "net_null$i,no-rx=1" "" "rx_desc = 64; tx_desc = 64;"
		interface "k$i" "p$i" near "ring_size = 128;"
		rules+=("punt p$i")
	done
	for i in {0..15}; do
		interface "ja$i" "" near "ring_size = 128;"
		interface "jb$i" "" near "ring_size = 128;"
		rules+=("join ja$i jb$i")
	done
	worker 0 "${rules[@]}"
}

some_traffic()
{
	in_ns left ping -q -c 20 -i 0.01 -W 1 10.6.0.2 && field_over /knit/port,p0 rx_packets 19
}

prometheus_config()
{
	cat >"$TMP/prometheus.yml" <<-END
		global: { scrape_interval: 500ms }
		scrape_configs:
		  - job_name: knit
		    static_configs: [ { targets: [ "127.0.0.1:9845" ] } ]
	END
}

scraped()
{
	/usr/bin/python3 "$ROOT/tests/smoke/exporter.py" prometheus http://127.0.0.1:9090 4000
}

a_prometheus()
{
	prometheus_config
	start prometheus prometheus --config.file="$TMP/prometheus.yml" \
		--storage.tsdb.path="$TMP/prometheus" --web.listen-address=127.0.0.1:9090
	check "a Prometheus scrapes it" becomes 30 scraped
	stop prometheus
}

# Nobody's user, who has the group
without_root()
{
	local BIN

	BIN=$(mktemp -d) && chmod 755 "$BIN" && cp "$EXPORTER" "$BIN" || return 1
	start other setpriv --reuid $GROUP_ID --regid $GROUP_ID --clear-groups \
		--inh-caps=-all --bounding-set=-all --no-new-privs \
		"$BIN/knit-exporter" --prefix "$PREFIX" --listen "[::1]:9846"
	URL="http://[::1]:9846/metrics" wait_for 10 up_is 1
	local status=$?
	stop other
	start other setpriv --reuid $((GROUP_ID + 1)) --regid $((GROUP_ID + 1)) --clear-groups \
		"$BIN/knit-exporter" --prefix "$PREFIX" --listen "[::1]:9846"
	URL="http://[::1]:9846/metrics" wait_for 10 up_is 0 || status=1
	stop other
	rm -r "$BIN"
	return $status
}

every_command_is_documented()
{
	local command

	telemetry / | grep -o '"/knit/[a-z]*"' | tr -d '"' >"$TMP/commands"
	[ "$(wc -l <"$TMP/commands")" -ge 10 ] || return 1
	while read -r command; do
		grep -q "^|.*\`$command"'[`,]' "$ROOT/docs/RUNNING.md" || {
			echo "docs/RUNNING.md: no $command"
			return 1
		}
	done <"$TMP/commands"
}

dpdks_own_client()
{
	printf '/knit/port,p0\nquit\n' | dpdk-telemetry.py -f "$PREFIX" | grep -q '"rx_packets"' &&
		printf '/knit/values,ports,31\nquit\n' | dpdk-telemetry.py -f "$PREFIX" |
		grep -q '"32 1 '
}

# More than an answer takes: the next one begins with what is missing.
answers_fit_together()
{
	local total n first=0

	while :; do
		read -r total n _ <<<"$(field "/knit/values,interfaces,$first" /knit/values)"
		echo "from $first: $n of $total"
		[ "$total" = 64 ] && [ "$n" -gt 0 ] || return 1
		first=$((first + n))
		[ $first -lt 64 ] || break
	done
	[ $first -eq 64 ] && [ "$(field /knit/values,interfaces,64 /knit/values)" = "64 0" ] &&
		[ "$(telemetry /knit/values,nonsense,0)" = '{"/knit/values": null}' ]
}

running()
{
	address near k0 10.6.0.2/24
	address left left0 10.6.0.1/24
	check "the same exporter has metrics now" wait_for 5 up_is 1
	check "traffic" wait_for 10 some_traffic
	check "64 interfaces: promtool finds nothing" good_page
	check "formats, as the client wants" exporter formats
	check "pages and methods" exporter pages
	# On a busy machine a port's own numbers may be missing once: see drop_nic_ in RUNNING.md
	check "values are those of telemetry" becomes 20 exporter values "$PREFIX"
	check "texts, too" exporter info "$PREFIX"
	check "telemetry: answers fit together" answers_fit_together
	check "telemetry: every command is documented" every_command_is_documented
	check "telemetry: dpdk-telemetry.py" dpdks_own_client
	a_prometheus
	check "50 scrapes a second" exporter often 4
	check "links that change among many questions" links_among_scrapes
	check "silent and senseless clients" exporter idle "${PID[exporter]}"
	check "the address is taken" says 4 "Address already in use" "$EXPORTER"
	check "without root, on IPv6" without_root
}

link_told() # up or down, times
{
	[ "$(grep -c "\"kind\":\"link_$1\".*\"port\":\"p0\"" "$TMP/monitor.log")" -ge "$2" ]
}

# Whoever asks for counters all the time, changes of a link are told.
links_among_scrapes()
{
	local i status=0

	start monitor "$KNIT_BUILD/tools/knit/knit" --prefix "$PREFIX" monitor --json
	start greedy /usr/bin/python3 "$ROOT/tests/smoke/exporter.py" greedy "$URL" "$PREFIX"
	for i in {1..10}; do
		ip -n left link set left0 down
		wait_for 10 link_told down "$i" || status=1
		ip -n left link set left0 up
		wait_for 10 link_told up "$i" || status=1
	done
	ended greedy && status=1
	stop greedy
	stop monitor
	return $status
}

stands_still()
{
	freeze primary
	check "a primary that stands still" wait_for 5 up_is 0
	check "many ask meanwhile" exporter crowd 40
	kill -CONT "${PID[primary]}"
	check "it goes on" wait_for 10 up_is 1
}

later_than() # second
{
	[ "$(date +%s)" -gt "$1" ]
}

# The connection to the old one is gone: no scrape is lost.
another_one()
{
	local before after

	before=$(field /knit/info start_time)
	system_down
	check "the old primary has ended" [ "$STATUS" -eq 0 ]
	wait_for 3 later_than "$before"
	CONFIG=$TMP/$'\xc3\xa4\xff"\\\n.cfg' # its path is a text of telemetry
	system_up
	after=$(field /knit/info start_time)
	check "another primary: the next scrape has it" exporter is knit_start_time_seconds "$after"
	check "and it is another one" [ "$after" -gt "$before" ]
	check "its file has a name of no ASCII" field_is /knit/info config "$TMP/?????.cfg"
	check "texts, too, are those of telemetry" exporter info "$PREFIX"
	stop primary KILL
	check "a killed primary" wait_for 5 up_is 0
}

usage
start_exporter exporter
check "no primary" up_is 0
check "no primary: promtool finds nothing" good_page
mkdir -p "/run/dpdk/$PREFIX"
check "odd answers" exporter odd "/run/dpdk/$PREFIX/dpdk_telemetry.v2"
rm -r "/run/dpdk/$PREFIX"
configure
system_up
running
stands_still
another_one
stop exporter
check "the exporter ends well" [ "$STATUS" -eq 0 ]
