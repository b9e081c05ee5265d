#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Draws SVG pictures.

  draw.py text HEAD FILE OUT               what a terminal shows, with its colours, below HEAD
  draw.py dashboard FILE URL OUT           the first row of a Grafana dashboard, with what the
                                           Prometheus at URL has of the last minute
"""
import json
import re
import sys
import time
import urllib.parse
import urllib.request
from html import escape

CHAR, LINE, MARGIN = 7.25, 15, 10
COLOURS = ["#4878a8", "#e0843c", "#5a9e57", "#b0534f", "#8a6fae", "#7f7f7f", "#b8a12c"]
PANEL, HEIGHT, GAP = 300, 150, 12
COLUMNS = 3
MINUTE = 60


def document(width, height, elements, font):
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" '
                      f'height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}" '
                      f'font-family="{font}" font-size="12">',
                      *elements, "</svg>\n"])


def runs(line):
    """Pieces of a line of a terminal: text, whether it is red, reversed, bold."""
    red = reverse = bold = False
    for part in re.split(r"(\x1b\[[\d;]*m)", line.rstrip("\n")):
        code = re.fullmatch(r"\x1b\[([\d;]*)m", part)
        if not code:
            if part:
                yield part, red, reverse, bold
            continue
        for number in (code[1] or "0").split(";"):
            if number in ("0", ""):
                red = reverse = bold = False
            elif number == "1":
                bold = True
            elif number in ("7", "27"):
                reverse = number == "7"
            elif number in ("31", "39"):
                red = number == "31"


def line_of_text(line, y):
    x = MARGIN
    for text, red, reverse, bold in runs(line):
        width = len(text) * CHAR
        colour = "#ff7b72" if red else "#d6dae0"
        if reverse:
            yield f'<rect x="{x:.1f}" y="{y - 11.5:.1f}" width="{width:.1f}" height="{LINE}" ' \
                  f'fill="{colour}"/>'
            colour = "#14181f"
        yield f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" xml:space="preserve" ' \
              f'textLength="{width:.1f}"{" font-weight=%sbold%s" % (chr(34), chr(34)) * bold}>' \
              f'{escape(text)}</text>'
        x += width


def draw_text(head, path, out):
    with open(path, encoding="utf-8") as file:
        lines = [head + "\n"] + file.readlines()
    while not lines[-1].strip():
        lines.pop()
    plain = [re.sub(r"\x1b\[[\d;]*m", "", line).rstrip() for line in lines]
    width = max(map(len, plain)) * CHAR + 2 * MARGIN
    height = len(lines) * LINE + 2 * MARGIN
    elements = [f'<rect width="{width:.0f}" height="{height:.0f}" rx="6" fill="#14181f"/>']
    for i, line in enumerate(lines):
        elements += line_of_text(line, MARGIN + LINE * (i + 0.8))
    with open(out, "w", encoding="utf-8") as file:
        file.write(document(width, height, elements, "DejaVu Sans Mono, Menlo, monospace"))


def ask(url, expression, legend):
    """Name and points of each series that the expression has."""
    now = time.time()
    expression = expression.replace("$__rate_interval", "5s")
    expression = re.sub(r"\$(instance|port|interface|worker)\b", ".*", expression)
    query = urllib.parse.urlencode({"query": expression, "start": now - MINUTE, "end": now,
                                    "step": 1})
    with urllib.request.urlopen(f"{url}/api/v1/query_range?{query}", timeout=10) as answer:
        result = json.load(answer)["data"]["result"]
    for series in result:
        name = re.sub(r"\{\{(\w+)\}\}", lambda m, s=series: s["metric"].get(m[1], ""), legend)
        points = [(float(t) - now + MINUTE, float(value)) for t, value in series["values"]]
        yield name, [point for point in points if point[1] == point[1]]


def short(value, unit):
    if unit == "percentunit":
        return f"{value * 100:.0f} %"
    for size, prefix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g} {prefix}"
    return f"{value:.3g}"


def frame(panel, x, y):
    yield f'<rect x="{x}" y="{y}" width="{PANEL}" height="{HEIGHT}" rx="4" fill="white" ' \
          'stroke="#d0d4da"/>'
    yield f'<text x="{x + 8}" y="{y + 16}" font-weight="bold">{escape(panel["title"])}</text>'


def draw_stat(panel, series, x, y):
    unit = panel["fieldConfig"]["defaults"].get("unit")
    value = series[0][1][-1][1] if series else 0
    text = f"{time.time() - value / 1000:.0f} s ago" if unit == "dateTimeFromNow" else f"{value:g}"
    yield f'<text x="{x + PANEL / 2}" y="{y + HEIGHT / 2 + 18}" font-size="34" fill="#2f7d32" ' \
          f'text-anchor="middle">{text}</text>'


def draw_lines(panel, series, x, y):
    unit = panel["fieldConfig"]["defaults"].get("unit")
    left, right, top, bottom = x + 48, x + PANEL - 8, y + 26, y + HEIGHT - 34
    most = max((value for _, points in series for _, value in points), default=0) or 1
    for share in (0, 0.5, 1):
        level = bottom - (bottom - top) * share
        yield f'<line x1="{left}" y1="{level}" x2="{right}" y2="{level}" stroke="#e4e7eb"/>'
        yield f'<text x="{left - 4}" y="{level + 4}" font-size="10" text-anchor="end">' \
              f'{short(most * share, unit)}</text>'
    at = left
    for i, (name, points) in enumerate(series):
        path = " ".join(f"{left + (right - left) * t / MINUTE:.1f},"
                        f"{bottom - (bottom - top) * value / most:.1f}" for t, value in points)
        colour = COLOURS[i % len(COLOURS)]
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
        yield f'<text x="{at}" y="{y + HEIGHT - 12}" font-size="10" fill="{colour}">' \
              f'{escape(name)}</text>'
        at += len(name) * 5.6 + 10


def draw_dashboard(path, url, out):
    with open(path, encoding="utf-8") as file:
        panels = json.load(file)["panels"]
    rows = [i for i, panel in enumerate(panels) if panel["type"] == "row"]
    elements = []
    for i, panel in enumerate(panels[rows[0] + 1:rows[1]]):
        x, y = GAP + i % COLUMNS * (PANEL + GAP), GAP + i // COLUMNS * (HEIGHT + GAP)
        series = [one for target in panel["targets"]
                  for one in ask(url, target["expr"], target.get("legendFormat", ""))]
        draw = draw_stat if panel["type"] == "stat" else draw_lines
        elements += [*frame(panel, x, y), *draw(panel, series, x, y)]
    width = COLUMNS * (PANEL + GAP) + GAP
    height = -(-(rows[1] - rows[0] - 1) // COLUMNS) * (HEIGHT + GAP) + GAP
    with open(out, "w", encoding="utf-8") as file:
        file.write(document(width, height, [f'<rect width="{width}" height="{height}" '
                                            'fill="#f4f5f7"/>', *elements], "sans-serif"))


if __name__ == "__main__":
    {"text": draw_text, "dashboard": draw_dashboard}[sys.argv[1]](*sys.argv[2:])
