"""What the plugin `features` says of every feature, by numpy on openai-whisper's activations of the same recordings.

The definitions are those of plugins/features/README.md. The two sides' activations differ in their last bits, so what is
counted may differ by values that lie within `TOLERANCE` of an edge, and by no other; a maximum may be elsewhere only where
two are as near to each other.
"""

from dataclasses import dataclass, field

import numpy as np

#: Of the largest absolute value at the hook point.
TOLERANCE = 1e-5
CELLS, BINS, OCTAVES, LEAST_EXPONENT = 64, 10, 12, -24


@dataclass
class Data:
    """The features of a hook point over a data set."""
    rows: list  # of a recording [positions, features], float32
    positions: list  # of a recording: the number of each row within it
    all: np.ndarray = field(init=False)

    def __post_init__(self):
        self.all = np.concatenate(self.rows)
        self.scale = float(np.abs(self.all).max())
        self.slack = TOLERANCE * self.scale

    def value(self, recording, position, feature):
        place = np.searchsorted(self.positions[recording], position)
        if place == len(self.positions[recording]) or self.positions[recording][place] != position:
            return np.nan
        return self.rows[recording][place, feature]


class Tally:
    """What was compared, how far apart it was at worst, and what was wrong."""

    def __init__(self, hook):
        self.hook, self.problems, self.worst, self.count, self.apart = hook, [], {}, {}, {}

    def near(self, kind, name, actual, expected, scale, bound=TOLERANCE):
        """|a − e| within `bound` of the scale, for arrays."""
        actual, expected = np.asarray(actual, np.float64), np.asarray(expected, np.float64)
        if actual.shape != expected.shape or not np.isfinite(actual).all():
            return self.check(False, f"{kind} of {name}: {list(actual.shape)} values, expected {list(expected.shape)}")
        error = float(np.abs(actual - expected).max(initial=0) / scale)
        self.worst[kind] = max(self.worst.get(kind, 0), error)
        self.count[kind] = self.count.get(kind, 0) + actual.size
        return self.check(error <= bound, f"{kind} of {name}: {error:.1e} of the scale apart")

    def counted(self, kind, name, actual, expected, near):
        """A count, of which `near` values lie at an edge."""
        self.count[kind] = self.count.get(kind, 0) + 1
        self.apart[kind] = self.apart.get(kind, 0) + (actual != expected)
        return self.check(abs(actual - expected) <= near, f"{name} has {actual}, expected {expected} ± {near}")

    def check(self, passed, what):
        if not passed:
            self.problems.append(what)
        return passed

    def report(self):
        figures = ", ".join(f"{count} {kind}" for kind, count in self.count.items())
        worst = ", ".join(f"{kind} {error:.1e}" for kind, error in self.worst.items())
        apart = ", ".join(f"{count} {kind}" for kind, count in self.apart.items())
        print(f"  {self.hook}: {figures}\n    worst |Δ| / largest: {worst}; other by values at an edge: {apart}")
        for problem in self.problems[:8]:
            print(f"  FAILED {self.hook}: {problem}")
        if len(self.problems) > 8:
            print(f"  FAILED {self.hook}: and {len(self.problems) - 8} more")
        return not self.problems


def check(tables, hook, data, top, reservoir, sides=("+", "-")):
    """-> whether all that the tables say of the hook point is so."""
    tally = Tally(hook)
    features = tables.rows("features", hook=hook)
    width = data.all.shape[1]
    if not tally.check([row["feature"] for row in features] == list(range(width)), f"features are not 0…{width - 1}"):
        return tally.report()
    moments(tally, data, features)
    for side in sides:
        examples(tally, tables, hook, data, side, top)
        ranges(tally, tables, hook, data, side, reservoir, features)
    return tally.report()


def moments(tally, data, rows):
    values = data.all.astype(np.float64)
    near_zero = ((np.abs(data.all) <= data.slack) & (data.all != 0)).sum(0)
    for name, expected, scale in (
            ("mean", values.mean(0), data.scale), ("minimum", values.min(0), data.scale),
            ("maximum", values.max(0), data.scale), ("variance", values.var(0), data.scale**2)):
        tally.near("moments", name, [row[name] for row in rows], expected, scale)
    for feature, row in enumerate(rows):
        tally.check(row["frames"] == len(values), f"{row['frames']} frames, expected {len(values)}")
        above = row["density"] * len(values)
        tally.check(abs(above - (data.all[:, feature] > 0).sum()) <= near_zero[feature] + 1e-6,
                    f"density of {feature}: {above:.1f} frames above zero, expected {(data.all[:, feature] > 0).sum()}")


def examples(tally, tables, hook, data, side, top):
    sign = 1 if side == "+" else -1
    found = tables.by_feature("examples", hook, side)
    best = np.stack([(sign * rows).max(0) for rows in data.rows])  # [recordings, features]
    for feature in range(data.all.shape[1]):
        name = f"{feature}{side}"
        # What is zero throughout is no example, and what is nearly so is one by its last bits.
        rows = [row for row in found.get(feature, []) if abs(row["value"]) > data.slack]
        order = np.sort(best[:, feature])[::-1][:top]
        expected = order[np.abs(order) > data.slack]
        if not tally.check(len(rows) == len(expected), f"{len(rows)} examples of {name}, expected {len(expected)}"):
            continue
        ranks = [row["rank"] for row in found.get(feature, [])]
        tally.check(ranks == list(range(1, len(ranks) + 1)), f"ranks of {name}")
        tally.check(len({row["recording"] for row in rows}) == len(rows), f"a recording is there twice for {name}")
        tally.near("examples", name, [sign * row["value"] for row in rows], expected, data.scale)
        there = [data.value(int(row["recording"]), int(row["frame"]), feature) for row in rows]
        tally.near("examples at their frames", name, [row["value"] for row in rows], there, data.scale)
        tally.near("examples at their frames", name, [best[int(row["recording"]), feature] for row in rows],
                   [sign * row["value"] for row in rows], data.scale)
        for row in rows:
            curve = tables.curve(row)
            if not tally.check(bool(len(curve)), f"example {row['rank']} of {name} has no curve"):
                continue
            first = int(row["curve_first"])
            known = [data.value(int(row["recording"]), first + place, feature) for place in range(len(curve))]
            # Half precision has eleven bits.
            tally.near("curves", name, curve, known, data.scale, 2.0**-11)


def edge(cell, exponent):
    return cell * 2.0**(exponent - 6)


def ranges(tally, tables, hook, data, side, reservoir, features):
    sign = 1 if side == "+" else -1
    cells, bins = (tables.by_feature(name, hook, side) for name in ("histogram", "bins"))
    drawn = tables.by_feature("bin_examples", hook, side)
    for feature in range(data.all.shape[1]):
        name = f"{feature}{side}"
        values = np.sort((sign * data.all[:, feature]).astype(np.float64))
        largest = sign * features[feature]["maximum" if sign > 0 else "minimum"]
        if values[-1] <= 0 or largest <= 0:
            tally.check(values[-1] <= data.slack and feature not in bins, f"ranges of {name}, which is never above zero")
            continue

        def between(low, high):
            """How many values are in [low, high), but for 0, and how many lie too near to an edge to say."""
            places = np.searchsorted(values, [max(low, np.nextafter(0, 1)), high])
            near = sum(np.searchsorted(values, at + data.slack, "right") - np.searchsorted(values, at - data.slack)
                       for at in (low, high))
            return places[1] - places[0], near

        # 2^e is the power of two above the largest value.
        exponent = max(LEAST_EXPONENT, int(np.frexp(np.float32(largest))[1]))
        counts = {round(row["low"] / edge(1, exponent)): row for row in cells.get(feature, [])}
        for cell in range(CELLS):
            low, high = edge(cell, exponent), edge(cell + 1, exponent)
            expected, near = between(low, high)
            row = counts.pop(cell, None)
            count = row["count"] if row else 0
            tally.counted("counts of cells", f"cell {cell} of {name}", count, expected, near)
            tally.check(row is None or (row["low"], row["high"]) == (low, high), f"edges of cell {cell} of {name}")
        tally.check(not counts, f"cells {sorted(counts)} of {name} are outside of the grid")
        used = int(largest / edge(1, exponent)) + 1
        edges = [int(number * used / BINS + 0.5) for number in range(BINS + 1)]
        wide = {int(row["bin"]): row for row in bins.get(feature, []) if row["kind"] == "width"}
        for number, (first, end) in enumerate(zip(edges, edges[1:])):
            low, high = edge(first, exponent), min(edge(end, exponent), largest)
            row = wide.get(number)
            if not tally.check(row is not None and (row["low"], row["high"]) == (low, high),
                               f"range {number} of {name}: {row}, expected {low} to {high}"):
                continue
            expected, near = between(low, edge(end, exponent))
            tally.counted("counts of ranges", f"range {number} of {name}", row["count"], expected, near)
            own = [one for one in drawn.get(feature, []) if one["kind"] == "width" and one["bin"] == number]
            tally.check(len(own) == min(reservoir, row["count"]), f"range {number} of {name} has {len(own)} examples")
            tally.check(all(low <= sign * one["value"] < edge(end, exponent) for one in own),
                        f"range {number} of {name} has an example from elsewhere")
            tally.near("examples of ranges", name, [one["value"] for one in own],
                       [data.value(int(one["recording"]), int(one["frame"]), feature) for one in own], data.scale)
        full = [row for row in bins.get(feature, []) if row["kind"] == "quantile"]
        total = sum(row["count"] for row in full)
        tally.check(len(full) == BINS and total == sum(row["count"] for row in wide.values()),
                    f"ranges of equal count of {name} have {total} values in all")
