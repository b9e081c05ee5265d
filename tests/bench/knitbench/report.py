# SPDX-License-Identifier: BSD-3-Clause
"""Values by metric and channel, medians and quartiles, and the two ways they are shown."""
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

    def quartiles(self, metric, who):
        """The lower and the upper one: half of the values are in between. None of one value."""
        values = self.values[metric].get(who, [])
        if len(values) < 2:
            return None
        low, _, high = statistics.quantiles(values, n=4, method="inclusive")
        return low, high

    def better(self, metric, knit, peer):
        """How many times: above 1 knit is. None without both figures."""
        if not knit or not peer:
            return None
        return peer / knit if self.about[metric][1] else knit / peer

    def ratio(self, metric, who):
        return self.better(metric, self.median(metric, KNIT), self.median(metric, who))

    def ratio_spread(self, metric, who):
        """From knit's worse quartile against the peer's better one to the other way round."""
        knit, peer = self.quartiles(metric, KNIT), self.quartiles(metric, who)
        if not knit or not peer:
            return None
        ends = [self.better(metric, knit[i], peer[1 - i]) for i in (0, 1)]
        return sorted(ends) if all(ends) else None

    def rows(self):
        """One object per metric and peer; without a peer if only knit has a figure."""
        for metric, (unit, _) in self.about.items():
            for who in [who for who in self.values[metric] if who != KNIT] or [None]:
                yield {"metric": metric, "unit": unit, "knit": self.median(metric, KNIT),
                       "knit_quartiles": self.quartiles(metric, KNIT),
                       "peer": who, "peer_value": self.median(metric, who),
                       "peer_quartiles": self.quartiles(metric, who),
                       "ratio": self.ratio(metric, who),
                       "ratio_spread": self.ratio_spread(metric, who)}

    def save(self, path):
        with open(path, "w", encoding="utf-8") as out:
            json.dump(list(self.rows()), out, indent=1)
            out.write("\n")

    def spread(self, metric, who):
        ends = self.quartiles(metric, who)
        return f"{figure(ends[0])}-{figure(ends[1])}" if ends else ""

    def table(self):
        """Medians of all, how many times better knit is than each peer; below, the quartiles."""
        lines = []
        shown = None
        for metric, (unit, _) in self.about.items():
            peers = [who for who in self.values[metric] if who != KNIT]
            if peers != shown:
                lines.append(f"{'metric':26}{'unit':>14}{'knit':>14}" +
                             "".join(f"{peer:>20}" for peer in peers))
                shown = peers
            line = f"{metric:26}{unit:>14}{figure(self.median(metric, KNIT)):>14}"
            for peer in peers:
                ratio = self.ratio(metric, peer)
                mark = f" ({ratio:.2f}x)" if ratio else ""
                line += f"{figure(self.median(metric, peer)) + mark:>20}"
            lines.append(line.rstrip())
            lines.append((f"{'':40}{self.spread(metric, KNIT):>14}" +
                          "".join(f"{self.spread(metric, peer):>20}" for peer in peers)).rstrip())
        lines = [line for line in lines if line]
        return "\n".join(lines)


def figure(value):
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}" if value >= 0.01 else "0"
