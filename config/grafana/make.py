#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes what comes from the table of metrics, below FOLDER, by default this tree:

    docs/METRICS.md                all metrics, and the alerts
    config/grafana/knit.json       the dashboard
    config/grafana/knit.rules.yml  averages and alerts for Prometheus

usage: make.py EXPORTER [FOLDER]     EXPORTER: the program knit-exporter, which is asked for --list

A metric of the table is in all three without a word here, and each way to lose packets has its
alert. Here stand the alerts on states, the averages, and what the dashboard shows first.
"""
import json
import os
import re
import subprocess
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
OBJECTS = {"system": "The system", "ports": "Ports", "interfaces": "Interfaces",
           "workers": "Workers", "nodes": "NUMA nodes", "pools": "Pools of buffers",
           "exporter": "knit-exporter itself"}

# name, expression, how long, severity, what it is, what to do
STATES = [
    ("KnitDown", "knit_up == 0", "1m", "critical", "no primary answers",
     "systemctl status knit-primary; its log says why it ended, or where it stands still."),
    ("KnitExporterGone", "absent(knit_up) or (max_over_time(knit_up[1h]) unless knit_up)", "5m",
     "warning", "no knit-exporter is scraped",
     "systemctl status knit-exporter, and the target's state in Prometheus."),
    ("KnitPrimaryRestarted", "changes(knit_start_time_seconds[10m]) > 0", "0m", "warning",
     "the primary was started anew", "Interfaces went away for that moment: see its log."),
    ("KnitControlMissing", "knit_control_state != 2", "1m", "warning",
     "knit-control is not attached",
     "ip link changes nothing on ports meanwhile: systemctl status knit-control."),
    ("KnitWorkerMissing", "knit_worker_state != 2", "1m", "critical", "a worker is not attached",
     "Nothing is forwarded on its queues: systemctl status 'knit-worker@*'."),
    ("KnitWorkerDied", "increase(knit_worker_resets_total[10m]) > 0", "0m", "warning",
     "a worker died, and the primary cleaned up after it", "See the log of that worker."),
    ("KnitWorkerParked", "knit_worker_parked == 1", "15m", "warning",
     "somebody has parked a worker, and it still moves no packets", "knit worker resume ID."),
    ("KnitStandbyMissing", "knit_worker_standby_expected == 1 and knit_worker_standby_state != 2",
     "1m", "warning", "nobody stands by for a worker that should have a standby",
     "systemctl status 'knit-worker-standby@*' 'knit-worker@*'."),
    ("KnitWorkerSaturated", "knit:worker_busy:ratio > 0.9", "10m", "warning",
     "a worker spends nearly all its time on packets",
     "Give its ports more workers, each with a CPU of its own."),
    ("KnitPoolLow", "knit_worker_pool_free_mbufs / knit_worker_pool_mbufs < 0.1", "5m", "warning",
     "the pool of a worker is nearly empty", "Raise mempool.extra."),
    ("KnitPortRemoved", "knit_port_removed == 1", "0m", "critical",
     "the device of a port was taken away", "Put it back and restart knit."),
    ("KnitPortAbsent", "knit_port_absent == 1", "0m", "warning",
     "an optional port was missing at the start", "Restart knit once it is there."),
    ("KnitPortLinkDown", "knit_port_link_up == 0 and knit_port_admin_up == 1 and "
     "knit_port_absent == 0 and knit_port_removed == 0", "1m", "warning",
     "a port that is switched on has no link",
     "Look at the cable, the transceiver and the other side."),
    ("KnitDeviceFaults", "increase(knit_device_faults_total[10m]) > 0", "0m", "warning",
     "a process met a NIC that is gone", "See the logs: a NIC was taken away while it was used."),
    ("KnitRequestsRefused", "increase(knit_interface_refused_requests_total[10m]) > 0", "0m",
     "info", "a port refused what ip link wanted", "See the log of knit-control."),
    ("KnitRequestsTimedOut", "increase(knit_interface_timed_out_requests_total[10m]) > 0", "0m",
     "warning", "knit-control did not answer the kernel in time",
     "It stood still, or a driver took long: see its log and the primary's."),
]

# name, expression, what it is
AVERAGES = [
    ("knit:worker_busy:ratio", "rate(knit_worker_busy_seconds_total[5m])",
     "share of time that a worker spends on packets, from 0 to 1"),
    ("knit:worker_burst:packets",
     "(rate(knit_worker_rx_packets_total[5m]) + rate(knit_worker_from_kernel_packets_total[5m])) "
     "/ rate(knit_worker_busy_rounds_total[5m])",
     "packets that a worker finds in a round over its inputs, if it finds any"),
    ("knit:interface_write:packets",
     "rate(knit_interface_engine_to_kernel_packets_total[5m]) "
     "/ rate(knit_interface_engine_writes_total[5m])",
     "packets that the kernel gets with one hand-over: more than 1 where some are merged"),
    ("knit:interface_to_kernel_wait:seconds",
     "avg_over_time(knit_interface_to_kernel_queue_entries[5m]) "
     "/ rate(knit_interface_to_kernel_packets_total[5m])",
     "how long a packet waits for the engine, on average: those that wait by those that come "
     "(Little's law)"),
    ("knit:interface_from_kernel_wait:seconds",
     "avg_over_time(knit_interface_from_kernel_queue_entries[5m]) "
     "/ rate(knit_interface_from_kernel_packets_total[5m])",
     "the same of packets from the kernel, which wait for the worker"),
]

MARK = "config/grafana/make.py wrote this file"


def read_table(exporter):
    run = subprocess.run([exporter, "--list"], check=True, capture_output=True, text=True)
    return json.loads(run.stdout)


def known_names(table):
    """All that an expression may use"""
    names = {row["metric"] for row in table} | {name for name, _, _ in AVERAGES}
    return names


def check_names(table, expressions):
    names = known_names(table)
    for text in expressions:
        for name in re.findall(r"\bknit[a-z_:]+", re.sub(r"\{[^}]*\}", "", text)):
            if name not in names:
                sys.exit("make.py: %s: there is no metric %s" % (text, name))


def camel(*words):
    return "".join(part.capitalize() for word in words for part in word.split("_"))


def drop_alert(row):
    """Its name; what happens in good order has none"""
    if row.get("level", "normal") == "normal":
        return None
    return "Knit" + camel(row["label"], row["reason"])


def drop_alerts(table):
    """As in STATES"""
    for row in table:
        name = drop_alert(row)
        if name is None:
            continue
        series = '%s{reason="%s"}' % (row["metric"], row["reason"])
        if row["level"] == "fault":
            yield (name, "increase(%s[10m]) > 0" % series, "0m", "critical", row["help"],
                   row["advice"])
        else:
            yield (name, "rate(%s[5m]) > 1" % series, "5m", "warning", row["help"], row["advice"])


def alerts(table):
    return STATES + list(drop_alerts(table))


def where(table, expression):
    """The labels that an alert's text names"""
    labels = [row["label"] for row in table if row["label"] and row["metric"] and
              re.search(r"\b%s\b" % row["metric"], expression)]
    if "knit:worker" in expression:
        labels.append("worker")
    return "%s {{ $labels.%s }}: " % (labels[0], labels[0]) if labels else ""


def rules(table):
    out = ["# SPDX-License-Identifier: BSD-3-Clause", "# %s: make metrics." % MARK,
           "# rule_files of prometheus.yml names it. docs/METRICS.md explains each rule.",
           "groups:", "  - name: knit-averages", "    rules:"]
    for name, expression, _ in AVERAGES:
        out += ["      - record: " + name, "        expr: " + json.dumps(expression)]
    out += ["  - name: knit-alerts", "    rules:"]
    for name, expression, time, severity, what, advice in alerts(table):
        out += ["      - alert: " + name, "        expr: " + json.dumps(expression),
                "        for: " + time, "        labels:", "          severity: " + severity,
                "        annotations:",
                "          summary: " + json.dumps(where(table, expression) + what),
                "          description: " + json.dumps(advice)]
    return "\n".join(out) + "\n"


def cell(text):
    return text.replace("|", "\\|")


def metrics_table(table, kind):
    out = ["| metric | type | unit | telemetry | meaning |", "|---|---|---|---|---|"]
    for row in table:
        if row["object"] != kind or row["type"] in ("text", "number") or "reason" in row:
            continue
        telemetry = "" if kind == "exporter" else "`%s`" % row["telemetry"]
        out.append("| `%s` | %s | %s | %s | %s |" % (
            row["metric"], row["type"], row["unit"], telemetry, cell(row["help"])))
    return out


def texts(table, kind):
    found = [row for row in table if row["object"] == kind and row["type"] == "text"]
    if not found:
        return []
    return ["", "`%s` is 1 and has as labels: %s." % (found[0]["metric"], "; ".join(
        "`%s`, %s" % (row["telemetry"], row["help"]) for row in found))]


def losses(table, kind):
    found = [row for row in table if row["object"] == kind and "reason" in row]
    if not found:
        return []
    out = ["", "### Lost packets of %s" % OBJECTS[kind].lower(), ""]
    metrics = sorted({row["metric"] for row in found})
    out += ["They are counted by the label `reason` of %s." %
            " and ".join("`%s`" % m for m in metrics), "",
            "| reason | telemetry | meaning | what helps | alert |", "|---|---|---|---|---|"]
    for row in found:
        alert = drop_alert(row)
        out.append("| `%s` | `%s` | %s | %s | %s |" % (
            row["reason"], row["telemetry"], cell(row["help"]), cell(row["advice"]),
            "`%s`" % alert if alert else ""))
    return out


INTRO = """# Metrics

<!-- %s: make metrics -->

What knit counts and measures, as [knit-exporter](RUNNING.md#metrics) tells it to Prometheus. The
column telemetry has the name of the same number in `/knit/info`, `/knit/port`, `/knit/interface`,
`/knit/worker`, `/knit/memory` and `/knit/pool` of [telemetry](RUNNING.md#looking-inside). Each
sample has its object as a label: `port="left"`, `interface="kni-left"`, `worker="0"`, `node="0"` or
`pool="knit_domain_0"`. Counters begin at 0 with the primary. Those of a worker go on when another
process takes its place.
"""

AFTER = """
## Averages instead of histograms

knit has no histograms of burst sizes and of waiting times. To sort these into classes takes
instructions for each burst, in the worker's loop or in the engine's, and what nobody asked for
shall cost nothing there. The averages below come from counters that are there anyway.
`config/grafana/knit.rules.yml` has them as recording rules. What they can't show, `knit trace`
shows: single packets, with their times.

| rule | meaning |
|---|---|
%s

The lengths of queues are those at the moment of a scrape: they show queues that stand, not short
bursts.

## Alerts

The same file has the alerts below and those on lost packets above. Copy it (a package has it in
`/usr/share/knit/grafana`) and name it in `rule_files` of prometheus.yml. Each alert has what helps
as its `description`. One on lost packets is a warning, if more than one in a second was lost over
five minutes. One on what knit or an application may never do is critical, if there was any of it.

| alert | severity | when | meaning | what helps |
|---|---|---|---|---|
%s

## Dashboard

`config/grafana/knit.json` is a dashboard for Grafana 9 and newer: Dashboards, Import. It shows the
system at the top and, below, each metric of this page.

![the dashboard's first row](dashboard.svg)

`make pictures` draws this, and those of [RUNNING.md](RUNNING.md), from a running system.
"""


def document(table):
    out = INTRO.strip() % MARK
    for kind, title in OBJECTS.items():
        lines = ["", "", "## " + title, ""] + metrics_table(table, kind) + texts(table, kind) + \
            losses(table, kind)
        out += "\n".join(lines)
    averages = "\n".join("| `%s` | %s |" % (name, what) for name, _, what in AVERAGES)
    raised = "\n".join("| `%s` | %s | `%s`%s | %s | %s |" % (
        name, severity, cell(expression), "" if time == "0m" else ", for " + time, cell(what),
        cell(advice)) for name, expression, time, severity, what, advice in STATES)
    return out + "\n" + AFTER % (averages, raised)


def select(row):
    """Of the dashboard's variables"""
    label = row["label"]
    return '{instance=~"$instance"%s}' % (', %s=~"$%s"' % (label, label) if label else "")


def expression(row):
    series = row["metric"] + select(row)
    if row["type"] == "counter":
        series = "rate(%s[$__rate_interval])" % series
    if unit(row).startswith("dateTime"):
        series = "1000 * " + series
    if "reason" in row:
        series = "sum by (instance, %s, reason) (%s) > 0" % (row["label"], series)
    return series


def unit(row):
    """As Grafana calls it, which counts points in time in ms, and writes 1500 bytes as 1.46 KiB"""
    if row["metric"].endswith("_mtu_bytes"):
        return "none"
    if row["type"] == "counter":
        return {"packets": "pps", "bytes": "Bps", "seconds": "percentunit"}.get(row["unit"], "cps")
    if row["metric"].endswith("_speed_bytes"):
        return "Bps"
    return {"bytes": "bytes", "seconds": "dateTimeAsIso"}.get(row["unit"], "short")


class Dashboard:
    def __init__(self):
        self.panels = []
        self.x = self.y = 0

    def place(self, width, height):
        if self.x + width > 24:
            self.x, self.y = 0, self.y + height
        at = {"h": height, "w": width, "x": self.x, "y": self.y}
        self.x += width
        return at

    def add(self, kind, title, text, targets, width=8, height=7, **more):
        """targets: expression and legend of each"""
        source = {"type": "prometheus", "uid": "${datasource}"}
        panel = {
            "id": len(self.panels) + 1, "type": kind, "title": title, "description": text,
            "datasource": source, "gridPos": self.place(width, height),
            "targets": [{"datasource": source, "expr": e, "legendFormat": legend,
                         "refId": chr(ord("A") + i)} for i, (e, legend) in enumerate(targets)],
            "fieldConfig": {"defaults": dict({"unit": more.pop("unit", "short")}, **more),
                            "overrides": []}}
        self.panels.append(panel)

    def row(self, title):
        if self.x:
            self.x, self.y = 0, self.y + 7
        self.panels.append({"id": len(self.panels) + 1, "type": "row", "title": title,
                            "collapsed": False, "panels": [],
                            "gridPos": {"h": 1, "w": 24, "x": 0, "y": self.y}})
        self.y += 1


def overview(d):
    """What an operator wants to see first"""
    some = '{instance=~"$instance"}'

    def rate(metric):
        return "rate(%s%s[$__rate_interval])" % (metric, some)

    d.row("Overview")
    d.add("stat", "Primary", "1: it answers", [("knit_up" + some, "{{instance}}")], 4)
    d.add("stat", "Running since", "", [("1000 * knit_start_time_seconds" + some, "")], 4,
          unit="dateTimeFromNow")
    d.add("stat", "Workers attached", "", [("count(knit_worker_state%s == 2)" % some, "")], 4)
    d.add("stat", "Links up", "", [("sum(knit_port_link_up%s)" % some, "")], 4)
    d.add("timeseries", "Packets lost",
          "All reasons that knit knows of. docs/METRICS.md has no alert on those in good order",
          [("sum by (reason) (%s) > 0" % rate("knit_%s_dropped_packets_total" % kind),
            kind + " {{reason}}") for kind in ("port", "interface", "worker")], unit="pps")
    d.add("timeseries", "Traffic of ports", "",
          [("sum by (port) (%s)" % rate("knit_port_%s_bytes_total" % way),
            "{{port}} " + way) for way in ("rx", "tx")], unit="Bps")
    d.add("timeseries", "Workers' time on packets", "1: all of it",
          [(rate("knit_worker_busy_seconds_total"), "worker {{worker}}")], unit="percentunit",
          min=0, max=1)
    d.add("timeseries", "Packets to and from the kernel", "",
          [("sum by (interface) (%s)" % rate("knit_interface_%s_kernel_packets_total" % way),
            "{{interface}} %s kernel" % way) for way in ("to", "from")], unit="pps")
    d.add("timeseries", "Free buffers of pools", "A pool without free ones loses packets. 1: all",
          [("knit_pool_free_mbufs%s / knit_pool_mbufs%s" % (some, some), "{{pool}}")],
          unit="percentunit", min=0, max=1)


def variable(name, query, **more):
    return dict({"name": name, "type": "query", "query": query, "refresh": 2, "multi": True,
                 "includeAll": True, "sort": 3, "label": name,
                 "datasource": {"type": "prometheus", "uid": "${datasource}"},
                 "current": {"text": ["All"], "value": ["$__all"]}}, **more)


def dashboard(table):
    d = Dashboard()
    overview(d)
    for kind, title in OBJECTS.items():
        d.row(title)
        seen = set()
        for row in table:
            if row["object"] != kind or row["type"] in ("text", "number") or row["metric"] in seen:
                continue
            seen.add(row["metric"])
            legend = "{{%s}}%s" % (row["label"] or "instance", " {{reason}}" if "reason" in row
                                   else "")
            name = row["metric"].replace("knit_", "", 1).replace("_total", "").replace("_", " ")
            text = "docs/METRICS.md explains each reason" if "reason" in row else row["help"]
            d.add("timeseries", name, text, [(expression(row), legend)], unit=unit(row))
    return {
        "title": "knit", "uid": "knit", "description": MARK, "tags": ["knit", "dpdk"],
        "editable": True, "schemaVersion": 37, "version": 1, "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"}, "timezone": "", "panels": d.panels,
        "templating": {"list": [
            {"name": "datasource", "type": "datasource", "query": "prometheus", "refresh": 1},
            variable("instance", "label_values(knit_up, instance)")] + [
                variable(kind, 'label_values(%s{instance=~"$instance"}, %s)' % (metric, kind))
                for kind, metric in (("port", "knit_port_link_up"), ("worker", "knit_worker_state"),
                                     ("interface", "knit_interface_queue_pairs"),
                                     ("node", "knit_node_heap_bytes"),
                                     ("pool", "knit_pool_mbufs"))]}}


def expressions(board):
    return [t["expr"] for panel in board["panels"] for t in panel.get("targets", [])]


def main():
    table = read_table(sys.argv[1])
    folder = sys.argv[2] if len(sys.argv) > 2 else ROOT
    board = dashboard(table)
    check_names(table, [a[1] for a in alerts(table)] + [a[1] for a in AVERAGES] +
                expressions(board))
    files = {"docs/METRICS.md": document(table), "config/grafana/knit.rules.yml": rules(table),
             "config/grafana/knit.json": json.dumps(board, indent=1) + "\n"}
    for path, text in files.items():
        path = os.path.join(folder, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)


if __name__ == "__main__":
    main()
