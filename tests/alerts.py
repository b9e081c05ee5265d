#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Lets promtool try the rules: each alert is raised by what it is about, and by nothing else.

usage: alerts.py EXPORTER FOLDER     FOLDER: what config/grafana/make.py wrote there

Prints what is wrong. The exit code is 0 if nothing is.
"""
import importlib.util
import json
import os
import re
import subprocess
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
MINUTES = 30

# Ports without a link that are no news: one is switched off, one is absent, one was removed.
CALM_LINKS = (("admin_up", "b"), ("absent", "b"), ("admin_up", "c"), ("removed", "c"))
# For each alert on a state: series with their values, in promtool's way, that raise it, and such
# that do not.
CASES = {
    "KnitDown": ({"knit_up": "0x30"}, {"knit_up": "1x30"}),
    # one of two machines
    "KnitExporterGone": ({'knit_up{instance="a"}': "1x30",
                          'knit_up{instance="b"}': "1x10 stale"}, {"knit_up": "0x30"}),
    "KnitPrimaryRestarted": ({"knit_start_time_seconds": "1000x25 2000x5"},
                             {"knit_start_time_seconds": "1000x30"}),
    "KnitControlMissing": ({"knit_control_state": "4x30"}, {"knit_control_state": "2x30"}),
    "KnitWorkerMissing": ({'knit_worker_state{worker="1"}': "0x30"},
                          {'knit_worker_state{worker="1"}': "2x30"}),
    "KnitWorkerDied": ({'knit_worker_resets_total{worker="1"}': "3x25 4x5"},
                       {'knit_worker_resets_total{worker="1"}': "3x30"}),
    "KnitWorkerParked": ({'knit_worker_parked{worker="1"}': "1x30"},
                         {'knit_worker_parked{worker="1"}': "0x30"}),
    "KnitStandbyMissing": ({'knit_worker_standby_expected{worker="1"}': "1x30",
                            'knit_worker_standby_state{worker="1"}': "0x30"},
                           {'knit_worker_standby_expected{worker="1"}': "1x30",
                            'knit_worker_standby_state{worker="1"}': "2x30"}),
    "KnitWorkerSaturated": ({'knit_worker_busy_seconds_total{worker="1"}': "0+55x30"},
                            {'knit_worker_busy_seconds_total{worker="1"}': "0+53x30"}),
    "KnitPoolLow": ({'knit_worker_pool_free_mbufs{worker="1"}': "99x30",
                     'knit_worker_pool_mbufs{worker="1"}': "1000x30"},
                    {'knit_worker_pool_free_mbufs{worker="1"}': "100x30",
                     'knit_worker_pool_mbufs{worker="1"}': "1000x30"}),
    "KnitPortRemoved": ({'knit_port_removed{port="a"}': "1x30"},
                        {'knit_port_removed{port="a"}': "0x30"}),
    "KnitPortAbsent": ({'knit_port_absent{port="a"}': "1x30"},
                       {'knit_port_absent{port="a"}': "0x30"}),
    "KnitPortLinkDown": ({'knit_port_link_up{port="a"}': "0x30",
                          'knit_port_admin_up{port="a"}': "1x30",
                          'knit_port_absent{port="a"}': "0x30",
                          'knit_port_removed{port="a"}': "0x30"},
                         dict({'knit_port_link_up{port="%s"}' % port: "0x30" for port in "abc"},
                              **{'knit_port_%s{port="%s"}' % (what, port):
                                 "1x30" if (what, port) in CALM_LINKS else "0x30"
                                 for what in ("admin_up", "absent", "removed")
                                 for port in "abc"})),
    "KnitDeviceFaults": ({"knit_device_faults_total": "0x25 1x5"},
                         {"knit_device_faults_total": "1x30"}),
    "KnitRequestsRefused": ({'knit_interface_refused_requests_total{interface="k"}': "0x25 1x5"},
                            {'knit_interface_refused_requests_total{interface="k"}': "1x30"}),
    "KnitRequestsTimedOut": ({'knit_interface_timed_out_requests_total{interface="k"}':
                              "0x25 1x5"},
                             {'knit_interface_timed_out_requests_total{interface="k"}': "1x30"}),
}
# Series, and what the averages make of them
AVERAGES = {
    "knit:worker_burst:packets": ({
        'knit_worker_rx_packets_total{worker="1"}': "0+300x120",
        'knit_worker_from_kernel_packets_total{worker="1"}': "0+100x120",
        'knit_worker_busy_rounds_total{worker="1"}': "0+50x120"}, 8),
    "knit:worker_busy:ratio": ({
        'knit_worker_busy_seconds_total{worker="1"}': "0+12x120"}, 0.2),
    "knit:interface_write:packets": ({
        'knit_interface_engine_to_kernel_packets_total{interface="k"}': "0+150x120",
        'knit_interface_engine_writes_total{interface="k"}': "0+50x120"}, 3),
    "knit:interface_to_kernel_wait:seconds": ({
        'knit_interface_to_kernel_queue_entries{interface="k"}': "20x120",
        'knit_interface_to_kernel_packets_total{interface="k"}': "0+600000x120"}, 0.002),
    "knit:interface_from_kernel_wait:seconds": ({
        'knit_interface_from_kernel_queue_entries{interface="k"}': "20x120",
        'knit_interface_from_kernel_packets_total{interface="k"}': "0+600000x120"}, 0.002),
}


def load_make():
    spec = importlib.util.spec_from_file_location("make", ROOT + "/config/grafana/make.py")
    make = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make)
    return make


def drop_cases(make, table):
    for row in table:
        name = make.drop_alert(row)
        if name is None:
            continue
        series = '%s{%s="x",reason="%s"}' % (row["metric"], row["label"], row["reason"])
        if row["level"] == "fault":
            yield name, ({series: "0x25 1x5"}, {series: "5x30"})
        else:
            yield name, ({series: "0+61x30"}, {series: "0+59x30"})


# What an alert on an expression names in its text
NAMED = {
    "knit_up == 0": "",
    "knit_worker_state != 2": "worker {{ $labels.worker }}: ",
    "knit:worker_busy:ratio > 0.9": "worker {{ $labels.worker }}: ",
    "knit_port_removed == 1": "port {{ $labels.port }}: ",
    "increase(knit_interface_refused_requests_total[10m]) > 0":
        "interface {{ $labels.interface }}: ",
}


def test(series, expression, value):
    expected = [] if value is None else [{"labels": "{}", "value": value}]
    return {"interval": "1m",
            "input_series": [{"series": s, "values": v} for s, v in series.items()],
            "promql_expr_test": [{"expr": expression, "eval_time": "%dm" % (MINUTES - 1),
                                  "exp_samples": expected}]}


def tests(make, table):
    cases = dict(CASES, **dict(drop_cases(make, table)))
    for name, *_ in make.alerts(table):
        if name not in cases:
            print("tests/alerts.py: no case for %s" % name)
            continue
        raised, calm = cases.pop(name)
        firing = 'count(ALERTS{alertname="%s",alertstate="firing"})' % name
        yield test(raised, firing, 1)
        yield test(calm, firing, None)
    yield test({"other": "1x30"}, 'count(ALERTS{alertname="KnitExporterGone"})', 1)
    for expression, named in NAMED.items():
        if make.where(table, expression) != named:
            print("tests/alerts.py: the text of %s names %s" % (expression,
                                                                make.where(table, expression)))
    for name in cases:
        print("tests/alerts.py: there is no alert %s" % name)
    for name, *_ in make.AVERAGES:
        series, value = AVERAGES[name]
        yield test(series, "round(sum(%s), 0.0001)" % name, value)


# Units of the dashboard for each kind of metric, by its name and type
UNITS = ((r"_packets_total$", "pps"), (r"_bytes_total$", "Bps"),
         (r"_seconds_total$", "percentunit"), (r"_total$", "cps"), (r"_speed_bytes$", "Bps"),
         (r"_mtu_bytes$", "none"), (r"_bytes$", "bytes"), (r"_seconds$", "dateTimeAsIso"),
         (r"", "short"))


def check_units(table, board):
    """Points in time are in ms."""
    shown = []
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            unit = panel["fieldConfig"]["defaults"]["unit"]
            shown.append((target["expr"], unit))
            if unit.startswith("dateTime") != target["expr"].startswith("1000 * "):
                print("tests/alerts.py: %s is shown as %s" % (target["expr"], unit))
    for row in table:
        want = next(unit for end, unit in UNITS if re.search(end, row["metric"]))
        found = {unit for expr, unit in shown
                 if re.search(r"\b%s\b" % row["metric"], expr)} if row["metric"] else set()
        if row["type"] not in ("text", "number") and want not in found:
            print("tests/alerts.py: %s is shown as %s, not as %s" % (row["metric"], found, want))


def promtool(folder, command, file, content):
    """YAML is a superset of JSON."""
    path = os.path.join(folder, "config/grafana", file)
    with open(path, "w", encoding="utf-8") as out:
        json.dump(content, out)
    run = subprocess.run(["promtool"] + command + [path], capture_output=True, text=True)
    if run.returncode:
        print(run.stdout + run.stderr)
    return run.returncode


def main():
    make, folder = load_make(), sys.argv[2]
    table = make.read_table(sys.argv[1])
    shown = make.dashboard(table)
    check_units(table, shown)
    queries = [e.replace("$__rate_interval", "1m") for e in make.expressions(shown)]
    board = {"groups": [{"name": "board", "rules": [
        {"record": "a:%d" % i, "expr": query} for i, query in enumerate(queries)]}]}
    status = promtool(folder, ["check", "rules"], "board.yml", board)
    status |= promtool(folder, ["test", "rules"], "test.yml", {
        "rule_files": ["knit.rules.yml"], "evaluation_interval": "1m",
        "tests": list(tests(make, table))})
    return status


if __name__ == "__main__":
    sys.exit(main())
