# SPDX-License-Identifier: BSD-3-Clause
"""Values by metric and channel, their medians, and the two ways they are shown."""
import json
import statistics

KNIT = "knit"


class Results:
    def __init__(self):
        self.values = {}  # metric -> who -> [value]
        self.about = {}  # metric -> (unit, less is better), in the order first seen

    def add(self, metric, about, who, value):
        self.about.setdefault(metric, about)
        self.values.setdefault(metric, {}).setdefault(who, []).append(value)

    def median(self, metric, who):
        values = self.values[metric].get(who)
        return statistics.median(values) if values else None

    def ratio(self, metric, who):
        """Above 1: knit is better. None without both figures."""
        knit, peer = self.median(metric, KNIT), self.median(metric, who)
        if not knit or not peer:
            return None
        return peer / knit if self.about[metric][1] else knit / peer

    def rows(self):
        """One object per metric and peer; without a peer if only knit has a figure."""
        for metric, (unit, _) in self.about.items():
            for who in [who for who in self.values[metric] if who != KNIT] or [None]:
                yield {"metric": metric, "unit": unit, "knit": self.median(metric, KNIT),
                       "peer": who, "peer_value": self.median(metric, who),
                       "ratio": self.ratio(metric, who)}

    def save(self, path):
        with open(path, "w", encoding="utf-8") as out:
            json.dump(list(self.rows()), out, indent=1)
            out.write("\n")

    def table(self):
        """Figures of all, and in brackets how many times better knit is than each peer."""
        lines = []
        shown = None
        for metric, (unit, _) in self.about.items():
            peers = [who for who in self.values[metric] if who != KNIT]
            if peers != shown:
                lines.append(f"{'metric':26}{'unit':>14}{'knit':>10}" +
                             "".join(f"{peer:>20}" for peer in peers))
                shown = peers
            line = f"{metric:26}{unit:>14}{figure(self.median(metric, KNIT)):>10}"
            for peer in peers:
                ratio = self.ratio(metric, peer)
                mark = f" ({ratio:.2f}x)" if ratio else ""
                line += f"{figure(self.median(metric, peer)) + mark:>20}"
            lines.append(line.rstrip())
        return "\n".join(lines)


def figure(value):
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}" if value >= 0.01 else "0"
