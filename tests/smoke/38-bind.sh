#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What knit says of NICs and of the machine where there is no NIC to be taken: knit-bind,
# knit-primary --check, --restore. Nothing here binds anything.
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/_init.sh"
# shellcheck source=tests/smoke/_system.sh
. "$(dirname "$0")/_system.sh"

PRIMARY=$KNIT_BUILD/primary/knit-primary
BIND=$KNIT_BUILD/tools/knit-bind/knit-bind
CONFIG=$TMP/knit.cfg

# As says, in a mount namespace of its own, where the shell commands changed something.
says_with() # shell commands, exit code, pattern, command...
{
	local change=$1 code=$2 pattern=$3
	shift 3

	says "$code" "$pattern" unshare --mount --propagation private \
		sh -c "$change"' && exec "$@"' sh "$@"
}

# A /sys with two network controllers without a driver and a disk, in which what is written stays.
fake_pci()
{
	cat <<-'EOF'
	mount -t tmpfs none /sys && cd /sys && mkdir -p bus/pci/drivers/igb_uio &&
	for one in 00:01.0=0x020000 00:02.0=0x020000 00:03.0=0x010601; do
		device=bus/pci/devices/0000:${one%=*}
		mkdir -p $device && echo ${one#*=} >$device/class &&
			echo "(null)" >$device/driver_override || exit 99
	done && : >bus/pci/drivers_probe
	EOF
}

# Has locked a device, as process 1, while the rest of the command line runs.
WITH_LOCK=(python3 -c '
import fcntl, os, subprocess, sys
os.makedirs("/run/knit", exist_ok=True)
path = f"/run/knit/{sys.argv[1]}.lock"
with open(path, "w") as lock:
    fcntl.lockf(lock, fcntl.LOCK_EX)
    print(f"{1:<12d}attached   ", file=lock, flush=True)
    code = subprocess.call(sys.argv[2:])
    os.unlink(path)
sys.exit(code)')

nic_config() # device, text
{
	PORTS=""
	port left "$1" "" "${2:-}"
	write_config
}

# The first device of that base class, or nothing.
of_class() # 0x01, 0x06 ...
{
	local device

	for device in /sys/bus/pci/devices/*; do
		[[ $(cat "$device/class" 2>/dev/null) != "$1"???? ]] || basename "$device"
	done | head -n 1
}

knit_bind()
{
	local one

	check "knit-bind: help" says 0 "^usage: knit-bind" "$BIND" --help
	check "knit-bind: unknown option" says 2 "unrecognized option '--frob'" "$BIND" --frob
	check "knit-bind: unknown command" says 2 "found frob" "$BIND" frob
	check "knit-bind: no driver" says 2 "name of a driver" "$BIND" bind
	check "knit-bind: driver with a path" says 2 "name of a driver" \
		"$BIND" bind ../x 0000:00:1f.7
	check "knit-bind: no address" says 2 "addresses are expected" "$BIND" unbind
	for one in 0000:00:1f 00:1f.8 0000:ff:20.0 eth0 ""; do
		check "knit-bind: \"$one\" is no address" says 2 "domain:bus:device.function" \
			"$BIND" unbind "$one"
	done
	check "knit-bind: no such device" says 4 "no PCI device 0000:ff:1f.7" \
		"$BIND" bind vfio-pci 0000:ff:1f.7
	check "knit-bind: unbind of no device" says 4 "no PCI device 0000:ff:1f.7" \
		"$BIND" unbind ff:1f.7
	check "knit-bind: list" says 0 "^address .* driver " "$BIND" --all
	check "knit-bind: JSON" is_json
	check "knit-bind: no PCI bus" says_with "mount -t tmpfs none /sys" 4 \
		"bus/pci/devices: No such file" "$BIND"
}

# Of several devices all are checked before the first is bound.
all_or_none()
{
	local bus=/sys/bus/pci/devices
	local first=$bus/0000:00:01.0/driver_override second=$bus/0000:00:02.0/driver_override

	check "knit-bind: one of two is refused" says_with "$(fake_pci)" 4 "^\(null\)$" \
		sh -c "$BIND bind igb_uio 00:01.0 00:03.0; code=\$?; cat $first; exit \$code"
	check "knit-bind: it says which" grep -q "0000:00:03.0 is a disk controller" "$TMP/said"
	check "knit-bind: the driver takes none" says_with "$(fake_pci)" 1 "did not take it" \
		sh -c "$BIND bind igb_uio 00:01.0 00:02.0; code=\$?; cat $second; exit \$code"
	check "knit-bind: the second is not tried then" grep -qx "(null)" "$TMP/said"
	check "knit-bind: somebody has locked one" says_with "$(fake_pci)" 4 \
		"0000:00:02.0 is in use: process 1 \\(.*\\) has it locked" \
		"${WITH_LOCK[@]}" 0000:00:02.0 "$BIND" bind igb_uio 00:01.0 00:02.0
	check "knit-bind: unbind neither" says_with "$(fake_pci)" 4 "has it locked" \
		"${WITH_LOCK[@]}" 0000:00:02.0 "$BIND" unbind 00:02.0
}

# As many as there are, with the drivers they have.
is_json()
{
	"$BIND" --all --json | python3 -c "
import json, os, sys
bus = '/sys/bus/pci/devices'
devices = json.load(sys.stdin)
assert [d['address'] for d in devices] == sorted(os.listdir(bus)), devices
for d in devices:
    link = f'{bus}/{d[\"address\"]}/driver'
    driver = os.path.basename(os.readlink(link)) if os.path.exists(link) else None
    assert d['driver'] == driver, d"
}

ports()
{
	local bridge disk

	bridge=$(of_class 0x06)
	disk=$(of_class 0x01)
	nic_config 0000:ff:1f.7 'driver = "vfio-pci";'
	check "port: no such device" says 4 "port left: there is no PCI device 0000:ff:1f.7" \
		"$PRIMARY" --config "$CONFIG"
	nic_config 0000:ff:1f 'driver = "vfio-pci";'
	check "port: address written wrongly" says 3 \
		"ports.\[0\].device: found \"0000:ff:1f\": a PCI address is written" \
		"$PRIMARY" --config "$CONFIG"
	nic_config net_tap0 'driver = "igb_uio";'
	check "port: driver for a virtual device" says 3 "ports.\[0\].driver: .*only a PCI device" \
		"$PRIMARY" --config "$CONFIG"
	nic_config 0000:ff:1f.7 'driver = "e1000";'
	check "port: unknown driver" says 3 "\"keep\", \"vfio-pci\", \"igb_uio\" or" \
		"$PRIMARY" --config "$CONFIG"
	nic_config 0000:ff:1f.7 'driver = "vfio-pci"; optional = true;'
	check "port: --check says of an optional one what it lacks, but does not fail" says 0 \
		"^note .*port left: there is no PCI device 0000:ff:1f.7" \
		"$PRIMARY" --check "$CONFIG"
	if [ -n "$bridge" ]; then
		nic_config "$bridge" 'driver = "vfio-pci"; force = true;'
		check "port: a bridge" says 4 "port left: $bridge is a bridge" \
			"$PRIMARY" --config "$CONFIG"
		check "knit-bind: a bridge" says 4 "$bridge is a bridge" \
			"$BIND" --force bind vfio-pci "$bridge"
	fi
	if [ -n "$disk" ]; then
		nic_config "$disk" 'force = true;'
		check "port: a disk controller" says 4 "port left: $disk is a disk controller" \
			"$PRIMARY" --config "$CONFIG"
	fi
}

machine()
{
	local nodes=/sys/devices/system/node

	nic_config net_tap0
	check "--check: nothing is missing" says 0 "^ok .*MiB free" \
		"$PRIMARY" --config "$CONFIG" --check
	check "--check: touched nothing" [ ! -e "/run/knit/$PREFIX" ]
	check "--check: no hugepages" says_with "mount -t tmpfs none $nodes/node0/hugepages" 4 \
		"^MISSING  hugepages on NUMA node 0: 0 MiB free" "$PRIMARY" --check "$CONFIG"
	check "--check: their remedy" grep -q "remedy: echo .*nr_hugepages" "$TMP/said"
	check "--check: without nodes" says_with "mount -t tmpfs none $nodes" 0 \
		"^ok .*NUMA node 0: [1-9][0-9]* MiB free" "$PRIMARY" --check "$CONFIG"
	no_free_page
	check "--check: no tap" says_with "mount -t tmpfs none /dev/net" 4 \
		"^MISSING .*/dev/net/tun" "$PRIMARY" --check "$CONFIG"
	sed -i 's/cpus = "0"; iova/cpus = "1000"; iova/' "$CONFIG"
	check "--check: no such CPU" says 4 \
		"^MISSING  $CONFIG:1: eal.cpus: CPU 1000 is absent or offline: online are " \
		"$PRIMARY" --check "$CONFIG"
	check "--check: file is wrong" says 3 "nowhere.cfg" "$PRIMARY" --check "$TMP/nowhere.cfg"
}

# What a killed primary left is no reason to refuse its successor, which takes it.
no_free_page()
{
	local no="mount -t tmpfs none /sys/kernel/mm/hugepages" page

	page=$(awk '$3 == "hugetlbfs" { print $2; exit }' /proc/mounts)/${PREFIX}map_0
	check "--check: no free page" says_with "$no" 4 "^MISSING  no free hugepages" \
		"$PRIMARY" --check "$CONFIG"
	check "--check: their remedy adds some" grep -q "remedy: echo 512 >/sys/kernel/mm/" \
		"$TMP/said"
	fallocate -l 2M "$page"
	check "--check: no free page, but those of a killed primary" says_with "$no" 0 \
		"^ok       hugepages: mounted" "$PRIMARY" --check "$CONFIG"
	rm "$page"
}

# vfio's limit of mappings counts pages, of whatever size they are.
mappings()
{
	local vfio=/sys/module/vfio_iommu_type1/parameters mm=/sys/kernel/mm/hugepages
	local limit="mount -t tmpfs none /sys/module && mkdir -p $vfio &&
		echo %d >$vfio/dma_entry_limit"
	local large="mkdir $TMP/large && mount -t hugetlbfs -o pagesize=1G none $TMP/large &&
		mount -t tmpfs none $mm && mkdir $mm/hugepages-1048576kB &&
		cd $mm/hugepages-1048576kB && echo 4 >nr_hugepages && echo 4 >free_hugepages"
	local few many

	# shellcheck disable=SC2059 # the limit goes into the commands
	few=$(printf "$limit" 66) many=$(printf "$limit" 100000)
	nic_config 0000:ff:1f.7 'driver = "vfio-pci";'
	check "mappings: too few for small pages" says_with "$few" 4 \
		"^MISSING .*map 66 pieces of memory .*each hugepage of 2048 KiB" \
		"$PRIMARY" --check "$CONFIG"
	check "mappings: their remedy" grep -q "; or only hugepages of 1 GiB" "$TMP/said"
	check "mappings: enough" says_with "$many" 4 "no PCI device" "$PRIMARY" --check "$CONFIG"
	check "mappings: and it does not complain" lacks "pieces of memory"
	if [ -d $mm/hugepages-1048576kB ]; then
		check "mappings: enough for large pages" says_with "$few && $large" 4 \
			"no PCI device" "$PRIMARY" --check "$CONFIG"
		check "mappings: and it does not complain of them" lacks "pieces of memory"
	fi
}

# By --check and by a start, which make the same checks.
lacking() # name, shell commands, pattern, program and arguments before the primary's...
{
	local name=$1 change=$2 pattern=$3
	shift 3

	check "$name: --check" says_with "$change" 4 "^MISSING  $pattern" \
		"$@" "$PRIMARY" --check "$CONFIG"
	check "$name: start" says_with "$change" 4 "^knit-primary: $pattern" \
		"$@" "$PRIMARY" --config "$CONFIG"
}

changed() # sed expression
{
	nic_config net_tap0,iface=left0
	sed -i "$1" "$CONFIG"
}

cpus()
{
	local absent="CPU 1000 is absent or offline: online are 0"

	nic_config net_tap0
	lacking "worker's CPU is offline" \
		"mount -t tmpfs none /sys/devices/system/cpu/cpu$LAST_CPU" \
		"$CONFIG:9: workers.\[0\].cpus: CPU $LAST_CPU is absent or offline"
	changed "s/lcore = 1; cpus = \"$LAST_CPU\"/lcore = 1; cpus = \"0,1000\"/"
	lacking "one of a worker's CPUs is absent" true "$CONFIG:9: workers.\[0\].cpus: $absent"
	changed 's/lcore = 20; cpus = "0"/lcore = 20; cpus = "1000"/'
	lacking "control's CPU is absent" true "$CONFIG:11: control.cpus: $absent"
	changed 's/^tap = { cpus = "0"/tap = { cpus = "1000"/'
	lacking "CPU of engine threads is absent" true "$CONFIG:4: tap.cpus: $absent"
	changed 's/^tap = {/tap = { kthread_mode = "multiple";/; s/engine = "tap"/& ; core = 1000/'
	lacking "an interface's CPU is absent" true "$CONFIG:7: interfaces.\[0\].core: $absent"
}

# A cgroup of that controller of version 1, if it can be had: in $CGROUP.
cgroup() # controller
{
	CGROUP=$TMP/$1/$PREFIX
	mkdir -p "$TMP/$1"
	mount -t cgroup -o "$1" none "$TMP/$1" && mkdir "$CGROUP" && return
	echo "skip 38-bind: no cgroup of $1"
	return 1
}

end_cgroup()
{
	rmdir "$CGROUP" && umount "${CGROUP%/*}"
}

cgroups()
{
	if [ "$LAST_CPU" -gt 0 ] && cgroup cpuset; then
		cat "$TMP/cpuset/cpuset.mems" >"$CGROUP/cpuset.mems"
		echo "$LAST_CPU" >"$CGROUP/cpuset.cpus"
		nic_config net_tap0
		lacking "cpuset without the primary's CPU" "echo \$\$ >$CGROUP/tasks" \
			"$CONFIG:1: eal.cpus: this process's cpuset .* allowed are $LAST_CPU"
		echo 0 >"$CGROUP/cpuset.cpus"
		check "cpuset without the worker's CPU: --check" says_with \
			"echo \$\$ >$CGROUP/tasks" 4 \
			"^MISSING  $CONFIG:9: workers.\[0\].cpus: .* allowed are 0" \
			"$PRIMARY" --check "$CONFIG"
		end_cgroup
	fi
	if cgroup hugetlb; then
		echo 20M >"$CGROUP/hugetlb.2MB.limit_in_bytes"
		nic_config net_tap0
		lacking "hugetlb cgroup that is too small" "echo \$\$ >$CGROUP/tasks" \
			"hugepages: hugetlb.2MB.limit_in_bytes of cgroup $CGROUP leaves 20 MiB"
		end_cgroup
	fi
}

permissions()
{
	local one

	netns far
	changed 's/netns = ""/netns = "far"/'
	for one in net_admin sys_admin; do
		lacking "no CAP_${one^^}" true "$CONFIG:5: ports.\[0\].netns: .*no permission to" \
			setpriv --bounding-set=-$one --inh-caps=-$one
	done
	nic_config net_tap0
	lacking "no CAP_NET_ADMIN here" true "$CONFIG:5: ports.\[0\].netns: found \"\"" \
		setpriv --bounding-set=-net_admin --inh-caps=-net_admin
	check "CAP_NET_ADMIN will do here: --check" says 0 "" \
		setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin "$PRIMARY" --check "$CONFIG"
}

folders()
{
	local huge

	huge=$(awk '$3 == "hugetlbfs" { print $2; exit }' /proc/mounts)
	nic_config net_tap0
	lacking "read-only /run" "mount -t tmpfs -o ro none /run" \
		".*/run can't be written: Read-only file system"
	lacking "full /run" "mount -t tmpfs -o size=1m none /run" ".*/run has 1024 KiB free"
	lacking "/run without inodes" "mount -t tmpfs -o nr_inodes=9 none /run" \
		".* room for 8 files"
	lacking "read-only hugetlbfs" "mount -o remount,ro,bind $huge" "$huge can't be written"
	lacking "small hugetlbfs" "mount -t hugetlbfs -o size=20M none $huge" \
		"hugepages: size= of the hugetlbfs at $huge leaves 20 MiB"
	changed "s,iova,huge_dir = \"$TMP\"; iova,"
	lacking "huge_dir is none" true "$CONFIG:1: eal.huge_dir: found \"$TMP\": a hugetlbfs is"
	changed "s,iova,huge_dir = \"$huge\"; iova,"
	check "huge_dir is one: --check" says 0 "" "$PRIMARY" --check "$CONFIG"
}

limits()
{
	nic_config net_tap0
	lacking "few descriptors" "ulimit -n 40" "RLIMIT_NOFILE is 40, [0-9]+ are needed"
	lacking "little address space" "ulimit -v 4000000" "RLIMIT_AS is 4096000000, "
	lacking "short files" "ulimit -f 10" "RLIMIT_FSIZE is 5120, "
}

# Before EAL, which would try for a while, or while a predecessor may still have the name.
places()
{
	changed 's/engine = "tap"; netns = ""/engine = "tap"; netns = "nowhere"/'
	lacking "no such namespace" true \
		"$CONFIG:7: interfaces.\[0\].netns: found \"nowhere\": .*No such file"
	: >"$TMP/file"
	changed "s,engine = \"tap\"; netns = \"\",engine = \"tap\"; netns = \"$TMP/file\","
	lacking "a file is no namespace" true "$CONFIG:7: .*/file is no network namespace"
	changed ""
	ip tuntap add dev kni-left mode tap
	check "name of the interface is taken: --check" says 4 \
		"^MISSING  $CONFIG:7: interfaces.\[0\].name: found \"kni-left\"" \
		"$PRIMARY" --check "$CONFIG"
	ip link del kni-left
	ip link add left0 type veth peer name left1
	check "name of the port's device is taken: --check" says 4 \
		"^MISSING  $CONFIG:5: ports.\[0\].device: found \"left0\"" \
		"$PRIMARY" --check "$CONFIG"
	ip link del left0
	changed 's/iface=left0/iface=kni-left/'
	check "one name twice: --check" says 4 \
		"^MISSING  $CONFIG:7: .*ports.\[0\] has a device of that name" \
		"$PRIMARY" --check "$CONFIG"
	changed ""
	check "names are free: --check" says 0 "" "$PRIMARY" --check "$CONFIG"
}

# As many as DPDK was built for.
many_ports()
{
	local i

	PORTS=""
	for i in {0..31}; do
		port "p$i" "net_null$i"
	done
	INTERFACES="" WORKERS=""
	interface kni-left p0
	worker 0 "punt p0"
	write_config
	start_primary
	check "32 ports" \
		[ "$(telemetry /knit/ports | grep -o '"p[0-9]*"' | sort -u | wc -l)" -eq 32 ]
	stop primary
	port p32 net_null32
	write_config
	check "33 ports" says 3 "ports: found a list \( \) of 33" "$PRIMARY" --check "$CONFIG"
}

# Without an interface that is one.
ports_are_taps()
{
	PORTS="" INTERFACES="" WORKERS=""
	port left net_tap0
	port right net_tap1
	worker 0 "xconnect left right"
	write_config
	lacking "ports are taps, no tun" "mount -t tmpfs none /dev/net" \
		"taps need /dev/net/tun: No such file"
}

lacks() # text
{
	! grep -q "$1" "$TMP/said"
}

restore()
{
	check "--restore: nothing to do" says 0 "" "$PRIMARY" --restore "$PREFIX"
	check "--give-back, the older spelling: the exit code asked for" says 4 "" \
		"$PRIMARY" --give-back "$PREFIX" --exit-code 4
	mkdir -p "/run/knit/$PREFIX"
	echo "0000:ff:1f.7 vfio-pci e1000e -" >"/run/knit/$PREFIX/bound"
	check "--restore: a device that is gone" says 0 "" "$PRIMARY" --restore "$PREFIX"
	check "--restore: leaves nothing" [ ! -e "/run/knit/$PREFIX" ]
	mkdir -p "/run/knit/$PREFIX"
	echo "0000:ff:1f.7 ../vfio e1000e -" >"/run/knit/$PREFIX/bound"
	check "--restore: junk" says 1 "bound: not a file of knit's" \
		"$PRIMARY" --restore "$PREFIX"
	check "--restore: junk stays" grep -q vfio "/run/knit/$PREFIX/bound"
	rm "/run/knit/$PREFIX/bound"
}

interface kni-left left
worker 0 "punt left"
knit_bind
all_or_none
ports
machine
mappings
cpus
cgroups
permissions
folders
limits
places
restore
many_ports
ports_are_taps
