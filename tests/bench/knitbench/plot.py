# SPDX-License-Identifier: BSD-3-Clause
"""The ratios of a result file as SVG: a panel for each machine, a group of bars for each metric."""
import json
import math
from html import escape

LEFT, RIGHT, WIDTH = 190, 40, 860
BAR, GAP, HEAD = 9, 8, 54
LIMIT = 8  # ratios beyond it, and below its inverse, end at the edge
COLOURS = ["#4878a8", "#e0843c", "#5a9e57", "#b0534f", "#8a6fae", "#7f7f7f", "#b8a12c"]


def place(ratio):
    """Where a ratio is on the horizontal axis, which is logarithmic."""
    share = math.log(min(max(ratio, 1 / LIMIT), LIMIT), LIMIT)  # -1 .. 1
    return LEFT + (WIDTH - LEFT - RIGHT) * (share + 1) / 2


def text(x, y, content, anchor="start", more=""):
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}"{more}>{escape(content)}</text>'


def bar(y, ratio, colour):
    left, right = sorted((place(1), place(ratio)))
    label = text(right + 3, y + BAR - 1, f"{ratio:.2f}") if ratio >= 1 else \
        text(left - 3, y + BAR - 1, f"{ratio:.2f}", "end")
    return f'<rect x="{left:.1f}" y="{y}" width="{right - left:.1f}" height="{BAR}" ' \
           f'fill="{colour}"/>{label}'


def whisker(y, spread):
    """A line from the lower to the upper ratio that the quartiles allow."""
    left, right = (place(ratio) for ratio in spread)
    return f'<line x1="{left:.1f}" y1="{y + BAR / 2}" x2="{right:.1f}" y2="{y + BAR / 2}" ' \
           f'stroke="#333"/>'


def axis(top, bottom):
    for exponent in range(-3, 4):
        x = place(2 ** exponent)
        yield f'<line x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{bottom}" ' \
              f'stroke="{"#333" if exponent == 0 else "#ddd"}"/>'
        yield text(x, top - 4, f"{2 ** exponent:g}", "middle")


def panel(title, rows, colour, top):
    """Its elements, and where it ends."""
    peers = list(dict.fromkeys(row["peer"] for row in rows))
    bars, y = [], top + HEAD
    for metric in dict.fromkeys(row["metric"] for row in rows):
        group = [row for row in rows if row["metric"] == metric]
        bars.append(text(LEFT - 8, y + (len(group) * BAR) / 2 + 4, metric, "end"))
        for row in group:
            bars.append(bar(y, row["ratio"], colour[row["peer"]]))
            if row.get("ratio_spread"):
                bars.append(whisker(y, row["ratio_spread"]))
            y += BAR
        y += GAP
    legend = [f'<rect x="{LEFT + 130 * i}" y="{top + 18}" width="10" height="10" '
              f'fill="{colour[peer]}"/>' + text(LEFT + 130 * i + 14, top + 27, peer)
              for i, peer in enumerate(peers)]
    head = text(8, top + 10, title, more=' font-weight="bold"')
    return [head, *legend, *axis(top + HEAD - 6, y - GAP), *bars], y + 12


def svg(rows):
    rows = [row for row in rows if row["ratio"]]
    peers = list(dict.fromkeys(row["peer"] for row in rows))
    colour = {peer: COLOURS[i % len(COLOURS)] for i, peer in enumerate(peers)}
    elements, y = [], 8
    for machine in dict.fromkeys(row.get("machine") for row in rows):
        title = f"{machine or 'host'}: how many times better knit is than"
        more, y = panel(title, [row for row in rows if row.get("machine") == machine], colour, y)
        elements += more
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y}" '
                      f'viewBox="0 0 {WIDTH} {y}" font-family="sans-serif" font-size="10">',
                      f'<rect width="{WIDTH}" height="{y}" fill="white"/>', *elements, "</svg>\n"])


def plot(results, path):
    """results: a file that Results.save wrote, or several of them joined"""
    with open(results, encoding="utf-8") as file:
        rows = json.load(file)
    with open(path, "w", encoding="utf-8") as out:
        out.write(svg(rows))
