#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""What 44-exporter.sh asks of knit-exporter.

usage: exporter.py CHECK URL [ARGUMENT]...   prints what is wrong; the exit code is 0 if nothing is
"""
import concurrent.futures
import http.client
import json
import os
import re
import select
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

OPENMETRICS = "application/openmetrics-text"
FRESH = 0.2  # seconds for which the exporter tells the same numbers
# What Prometheus sends: 2.24, 2.42, 3.0
PROMETHEUS = [
    "application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
    "application/openmetrics-text;version=0.0.1;q=0.4,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"]
# Which version each gets
ACCEPT = {
    None: "0.0.4", "*/*": "0.0.4", "text/plain": "0.0.4", "application/json": "0.0.4",
    "": "0.0.4", ",;q=,": "0.0.4", OPENMETRICS: "1.0.0", OPENMETRICS + ";version=0.0.1": "0.0.1",
    OPENMETRICS + ";version=2.0.0": "0.0.4",
    OPENMETRICS + "; version=1.0.0 ; q=0.2, text/plain;q=0.3": "0.0.4",
    "text/plain;q=0.3 , " + OPENMETRICS.upper() + ";Q=0.3": "1.0.0",
    OPENMETRICS + ";q=0": "0.0.4", OPENMETRICS + ";q=7": "0.0.4",
    PROMETHEUS[0]: "0.0.1", PROMETHEUS[1]: "1.0.0", PROMETHEUS[2]: "1.0.0"}


def get(url, accept=OPENMETRICS, timeout=20):
    headers = {} if accept is None else {"Accept": accept}
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers),
                                timeout=timeout) as answer:
        return answer.headers["Content-Type"], answer.read().decode()


def value(text, name):
    match = re.search("^%s ([0-9.]+)$" % re.escape(name), text, re.M)
    return float(match[1]) if match else None


def samples(text):
    """By name and sorted labels; the strict parser of OpenMetrics"""
    from prometheus_client.openmetrics import parser
    found = {}
    for family in parser.text_string_to_metric_families(text):
        for sample in family.samples:
            key = sample.name, tuple(sorted(sample.labels.items()))
            assert key not in found, "twice: %s %s" % key
            found[key] = sample.value
    return found


def telemetry(prefix, command):
    run = subprocess.run([os.environ["KNIT_BUILD"] + "/tests/knit-telemetry", prefix, command],
                         check=True, capture_output=True, text=True)
    return json.loads(run.stdout)[command.split(",")[0]]


def rows():
    run = subprocess.run([os.environ["EXPORTER"], "--list"], check=True, capture_output=True,
                         text=True)
    return json.loads(run.stdout)


def check_is(url, name, want):
    """A metric without labels has that value."""
    text = get(url)[1]
    if value(text, name) != float(want):
        print(name, value(text, name))
        return 1
    return 0


def check_formats(url):
    for accept, version in ACCEPT.items():
        kind, text = get(url, accept)
        if "; version=%s;" % version not in kind or \
                kind.startswith(OPENMETRICS + ";") != (version != "0.0.4") or \
                text.endswith("# EOF\n") != (version != "0.0.4"):
            print(accept, kind)
            return 1
    return 0


def check_text(url):
    print(get(url, None)[1], end="")
    return 0


def everything(prefix):
    """What telemetry tells, by object and name of it"""
    told = {("system", ""): telemetry(prefix, "/knit/info")}
    for kind in ("port", "interface", "worker", "pool"):
        for name in telemetry(prefix, "/knit/%ss" % kind):
            told[kind + "s", str(name)] = telemetry(prefix, "/knit/%s,%s" % (kind, name))
    for node in telemetry(prefix, "/knit/memory"):
        told["nodes", str(node)] = telemetry(prefix, "/knit/memory,%s" % node)
    return told


def factor(row):
    """Of telemetry's value to that of the metric; None: see value_fits"""
    if row["metric"] == "knit_port_link_speed_bytes":
        return 125000
    return None if row["metric"] == "knit_worker_busy_seconds_total" else 1


def fits(row, low, seen, high, hz):
    """A counter does not go back. What is no counter may, between the two questions."""
    scale = factor(row)
    low, high = (n / hz if scale is None else n * scale for n in (low, high))
    near = 1e-6 if scale is None else 0
    if row["type"] != "counter":
        low, high = min(low, high), max(low, high)
    return low - near <= seen <= high + near


def check_values(url, prefix):
    """Each row has a sample of each object, between what telemetry told before and after."""
    before = everything(prefix)
    seen = samples(get(url)[1])
    after = everything(prefix)
    wrong = compared = 0
    for row in rows():
        if row["type"] in ("text", "number") or row["object"] == "exporter":
            continue
        for (kind, name), fields in before.items():
            if kind != row["object"]:
                continue
            labels = {row["label"]: name} if row["label"] else {}
            if "reason" in row:
                labels["reason"] = row["reason"]
            got = seen.pop((row["metric"], tuple(sorted(labels.items()))), None)
            low, high = fields[row["telemetry"]], after[kind, name][row["telemetry"]]
            compared += 1
            if got is None or not fits(row, low, got, high, before["system", ""]["tsc_hz"]):
                print(row["metric"], labels, low, got, high)
                wrong += 1
    infos = [key for key in seen if key[0].endswith("_info")]
    texts = [key for key in before if key[0] not in ("workers", "nodes")]
    left = [key for key in seen if key not in infos and not key[0].startswith("knit_exporter_")]
    print(compared, "compared,", len(infos), "infos, left:", left)
    return wrong or compared < 1000 or len(infos) != len(texts) or left != [("knit_up", ())]


def check_info(url, prefix):
    """Texts are labels."""
    seen = [dict(key[1]) for key in samples(get(url)[1]) if key[0].endswith("_info")]
    for (kind, name), told in everything(prefix).items():
        texts = {row["telemetry"]: told[row["telemetry"]][:120] for row in rows()
                 if row["object"] == kind and row["type"] == "text"}
        if kind != "system":
            texts[kind[:-1]] = name
        if kind not in ("workers", "nodes") and texts not in seen:
            print(kind, name, texts)
            return 1
    return 0


def check_often(url, seconds):
    """50 scrapes a second, each good, and no more files open than before."""
    def one(at):
        time.sleep(max(0, at - time.monotonic()))
        return value(get(url)[1], "knit_up") == 1

    start, first = time.monotonic(), get(url)[1]
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        good = list(pool.map(one, [start + i / 50 for i in range(50 * int(seconds))]))
    last = get(url)[1]
    cpu = "knit_exporter_cpu_seconds_total"
    each = (value(last, cpu) - value(first, cpu)) / (len(good) + 1)
    read = [value(t, "knit_exporter_scrapes_total") -
            value(t, "knit_exporter_repeated_scrapes_total") for t in (first, last)]
    most = (time.monotonic() - start) / FRESH + 1
    print(sum(good), "of", len(good), "scrapes of", len(last), "bytes: %.0f us," % (each * 1e6),
          "%d readings, %d at most" % (read[1] - read[0], most))
    # ten times what it takes where nothing else runs
    return not all(good) or each > 0.005 or not 1 < read[1] - read[0] <= most


def check_greedy(url, prefix):
    """Until it is killed: 50 scrapes a second, and a client of telemetry that never pauses."""
    def ask():
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as to:
            to.connect("/run/dpdk/%s/dpdk_telemetry.v2" % prefix)
            to.recv(1024)
            while to.send(b"/knit/values,ports,0"):
                to.recv(1 << 18)

    for _ in range(4):
        threading.Thread(target=ask, daemon=True).start()
    while True:
        get(url)
        time.sleep(0.02)


def check_crowd(url, clients):
    """That many at once, while the primary stands still: all are told so within 10 s."""
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(int(clients)) as pool:
        texts = list(pool.map(lambda _: get(url)[1], range(int(clients))))
    took = time.monotonic() - start
    print("%.1f s" % took)
    return took > 10 or any(value(text, "knit_up") != 0 for text in texts)


def connected(url):
    where = urllib.parse.urlsplit(url)
    return socket.create_connection((where.hostname, where.port), timeout=10)


def check_idle(url, pid):
    """Connections that say nothing are no burden, and those that say nonsense neither. While there
    are as many as it serves, others wait until these are closed, after 5 seconds."""
    idle = [connected(url) for _ in range(25)]
    up = [value(get(url)[1], "knit_up")]
    more = [connected(url) for _ in range(20)]
    files = len(os.listdir("/proc/%s/fd" % pid))
    for one in idle + more:
        one.close()
    idle = [connected(url) for _ in range(32)]
    up.append(value(get(url)[1], "knit_up"))
    closed = [one for one in idle if select.select([one], [], [], 0)[0] and one.recv(1) == b""]
    for one in idle:
        one.close()
    for nonsense in (b"\0" * 5000, b"GET / HTTP/9.9\r\n\r\n", b"GET " + b"/" * 50000 + b"\r\n",
                     os.urandom(20000)):
        with connected(url) as one:
            try:
                one.sendall(nonsense)
                one.shutdown(socket.SHUT_WR)
                one.recv(1000)
            except OSError:
                pass
    up.append(value(get(url)[1], "knit_up"))
    print(up, files, "files,", len(closed), "closed")
    return up != [1, 1, 1] or files > 60 or not closed


def status(url, method, path):
    where = urllib.parse.urlsplit(url)
    to = http.client.HTTPConnection(where.hostname, where.port, timeout=10)
    to.request(method, path, body="x" if method == "POST" or "?" in path else None)
    return to.getresponse().status


def check_pages(url):
    want = {("GET", "/"): 200, ("GET", "/metrics"): 200, ("GET", "/metrics?x=1"): 200,
            ("HEAD", "/metrics"): 200, ("GET", "/metric"): 404, ("POST", "/metrics"): 405,
            ("PUT", "/"): 405}
    got = {key: status(url, *key) for key in want}
    print(got)
    return got != want


# Three objects of each kind, one or two in an answer: by FIRST
GOOD = {"/knit/fields": {"0": ["mtu", "x", "rx_packets"]},
        "/knit/values": {"0": "3 2 1 2 3 4 5 -", "2": "3 1 18446744073709551614 8 9"},
        "/knit/texts": {"0": ["3", "name=a", "mac=\"\\"],
                        "1": ["3", "name=b\n", "device=tap,mac=2", "mac=z", "x=y", "name=c", "mac=",
                              "mac=again"]}}
# The same with bytes that are no UTF-8
BYTES = (b'{"/knit/texts":["3","name=a","mac=\xff(","device=\xc3","name=b\xe2\x82",'
         b'"mac=\xed\xa0\x80","name=c"]}')
ODD = [None, 7, "text", "", "0 0", "x", "2 2", "2 1 1 2 3", "2 2 1 2", "2 0", "9999999 1 1",
       "1 2 1 1", "-1 -1", "2 2 x", "2 2 1 2 3 4 5 99999999999999999999999999", [], {}, [None],
       [[1]], ["2"], ["2", "x=y"], ["2", "x"], ["1", "name=a", "name=b", "name=c"],
       ["=", "=" * 500],
       ["2", "name=" + "\"" * 500, "mac=" + "\\" * 500] + ["mac=" + "\"" * 120] * 400,
       "3 3 1 2 3 4 5 6 7 8 9 x", "3 3 1 2 3 4 5 6 7 8 9 10", "3 3 1 2 3 4 5 6 7 8 -9",
       "3 3 +1 2 3 4 5 6 7 8 9", "3 3 1,2 3 4 5 6 7 8 9 1", {"name": None}, 1e99]
TAKEN = [("/knit/values", "0 0")]  # a kind without objects


def odd_server(path, answers, stop):
    server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    server.bind(path)
    server.listen()

    def serve(peer):
        peer.send(b'{"version":"x","pid":1,"max_output_len":16384}')
        while not stop.is_set():
            command, *rest = peer.recv(1024).decode().split(",")
            if not command:
                return
            good = GOOD[command].get(rest[1] if len(rest) > 1 else "0")
            raw = answers.get(",".join([command] + rest[:1]), answers.get(command, good))
            if not isinstance(raw, bytes):
                raw = json.dumps({command: raw}).encode()
            peer.send(raw)

    def accept():
        while True:
            threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
    threading.Thread(target=accept, daemon=True).start()


def good_is_taken(text):
    seen = samples(text)
    want = {("knit_up", ()): 1, ("knit_port_mtu_bytes", (("port", "a"),)): 1,
            ("knit_port_mtu_bytes", (("port", "b\n"),)): 4,
            ("knit_port_mtu_bytes", (("port", "c"),)): 18446744073709551614,
            ("knit_port_rx_packets_total", (("port", "a"),)): 3,
            ("knit_port_rx_packets_total", (("port", "c"),)): 9,
            ("knit_port_info", (("mac", "\"\\"), ("port", "a"))): 1,
            ("knit_port_info", (("device", "tap,mac=2"), ("mac", "z"), ("port", "b\n"))): 1,
            ("knit_port_info", (("mac", ""), ("port", "c"))): 1}
    seen = {key: seen[key] for key in seen if key[0] in (k[0] for k in want)}
    if seen != want:
        print(seen)
    return seen != want


def bytes_are_mended(text):
    seen = samples(text)
    for name, labels in (("a", {"mac": "\ufffd(", "device": "\ufffd"}),
                         ("b\ufffd\ufffd", {"mac": "\ufffd\ufffd\ufffd"}), ("c", {})):
        if ("knit_port_info", tuple(sorted(dict(labels, port=name).items()))) not in seen:
            print(name, labels, [key for key in seen if key[0] == "knit_port_info"])
            return 1
    return 0


def becomes(url, want):
    """knit_up, as soon as the exporter asks again"""
    deadline = time.monotonic() + 10
    while value(get(url)[1], "knit_up") != want:
        if time.monotonic() > deadline:
            return 0
        time.sleep(0.02)
    return 1


def check_odd(url, path):
    """Whatever answers in the place of a primary: a good page, and the exporter lives."""
    answers, stop, wrong = {}, threading.Event(), 0
    odd_server(path, answers, stop)
    wrong += good_is_taken(get(url)[1])
    for kind, up in (("nodes", 1), ("pools", 1), ("workers", 0)):  # an older one knows no memory
        answers["/knit/values"] = b"{"
        becomes(url, 0)
        answers.clear()
        answers["/knit/fields," + kind] = b'{"/knit/fields":null}'
        text = get(url)[1]
        if value(text, "knit_up") != up or up and good_is_taken(text):
            print(kind, value(text, "knit_up"))
            wrong += 1
        answers.clear()
    for command, odd in [("/knit/texts", BYTES)] + [(command, odd) for command in GOOD for odd in
                         ODD + [b"{", b" ", b"[]", b"null", b'{"%s":' % command.encode(),
                                b"\xff" * 99]]:
        answers["/knit/values"] = b"{"  # it connects anew and asks for all that it keeps
        down = becomes(url, 0)
        answers.clear()
        answers[command] = odd
        text = get(url)[1]
        samples(text)
        want = (command, odd) in TAKEN + [("/knit/texts", BYTES)]
        if not down or value(text, "knit_up") != want:
            print(command, odd, "down" if down else "still up", value(text, "knit_up"))
            wrong += 1
        elif odd == BYTES:
            wrong += bytes_are_mended(text)
        answers.clear()
    stop.set()
    return wrong


def api(url, path, **query):
    with urllib.request.urlopen("%s/api/v1/%s?%s" % (url, path, urllib.parse.urlencode(query)),
                                timeout=10) as answer:
        return json.load(answer)["data"]


def check_prometheus(url, count):
    """A Prometheus has scraped it: so many samples, with types and units."""
    up = api(url, "query", query="knit_up")["result"]
    series = api(url, "query", query='count({__name__=~"knit_.+"})')["result"]
    about = {m["metric"]: m for m in api(url, "targets/metadata", match_target="{job='knit'}")}
    bytes_ = about.get("knit_port_rx_bytes", {})
    targets = api(url, "targets")["activeTargets"]
    print(up, series, bytes_, [t["lastError"] for t in targets])
    return not (up and up[0]["value"][1] == "1" and int(series[0]["value"][1]) >= int(count) and
                bytes_["type"] == "counter" and bytes_["unit"] == "bytes" and bytes_["help"] and
                about["knit_interface"]["type"] == "info" and targets[0]["health"] == "up")


if __name__ == "__main__":
    try:
        sys.exit(bool(globals()["check_" + sys.argv[1]](*sys.argv[2:])))
    except (OSError, AssertionError, ValueError, KeyError, IndexError) as error:
        print(type(error).__name__, str(error)[:500])
        sys.exit(1)
