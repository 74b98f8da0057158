"""Activations of real recordings, and what the plugin `features` has to find in them, by numpy alone.

    AUSCULT=.build/release/auscult python3 Tests/Fixtures/features/generate.py

Writes, beside itself: activations.f32 (float32, little-endian: for each recording [frames, FEATURES]), clips.json (what a
plugin is told of each recording) and expected.json. The activations are those of the embedded model; the rest follows
from the definitions: sorting for the examples, numpy.frexp for the grids, ranks for the area under the curve.
"""
import json
import math
import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
HOOK = "encoder.blocks.2.mlp.1"
FIRST, FEATURES = 16, 12
K, BINS, RESERVOIR, SEED = 5, 10, 3, 11
QUANTILE, MINIMUM, RANGES = 0.95, 3, 8
LIFT = 1.25
LAGS = list(range(-5, 6))
MASK = (1 << 64) - 1


# Draws: FNV-1a, and SplitMix64's finaliser.
def stirred(value):
    bits = (value + 0x9E3779B97F4A7C15) & MASK
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & MASK
    return bits ^ (bits >> 31)


def key(seed, purpose, text):
    value = 0xCBF29CE484222325
    for byte in purpose.encode() + b"\xff" + text.encode():
        value = ((value ^ byte) * 0x100000001B3) & MASK
    return stirred(value ^ stirred(seed))


def moment(recording, frame):
    return stirred((recording << 24 | frame) ^ key(SEED, "moments", ""))


# What is there.
def clips():
    lines = [json.loads(line) for line in open(ROOT / "models/demo/manifest.jsonl")]
    speech = [line for line in lines if line["kind"] == "speech"]
    voices = sorted({line["voice"] for line in speech})
    chosen = [line for voice in voices for line in speech if line["voice"] == voice][:14]
    for number, line in enumerate(chosen):
        with tempfile.TemporaryDirectory() as folder:
            out = f"{folder}/t.npz"
            name = line["file"].rsplit(".", 1)[0]
            subprocess.run(
                [os.environ.get("AUSCULT", "auscult"), "trace", f"demo:{name}", "--hooks", HOOK, "--out", out, "-q"],
                check=True, stdout=subprocess.DEVNULL)
            values = np.load(out)[HOOK].astype(np.float32)
        yield {
            "recording": number, "name": line["file"], "seconds": line["duration"],
            "labels": {"voice": line["voice"], "language": line["language"], "text": line["text"]},
            "phonemes": [[s["start"], s["end"], s["label"]] for s in line["phonemes"]],
            "words": [[s["start"], s["end"], s.get("word", s.get("label"))] for s in line.get("words", [])],
        }, np.ascontiguousarray(values[:, FIRST:FIRST + FEATURES])


def sound_at(sounds, time):
    for start, end, label in sounds:
        if start <= time < end:
            return label
    return None


def examples(per_clip, feature):
    best = []
    for recording, values in enumerate(per_clip):
        frame = int(np.argmax(values[:, feature]))
        best.append((-float(values[frame, feature]), recording, frame))
    rows = []
    for rank, (negative, recording, frame) in enumerate(sorted(best)[:K]):
        values = per_clip[recording][:, feature]
        first = max(0, frame - 75)
        curve = values[first:frame + 76].astype(np.float16).astype("<f2")
        rows.append([rank + 1, recording, frame, -negative, first, [int(bits) for bits in curve.view(np.uint16)]])
    return rows


def ranges(column, moments, labels):
    """Bins of equal width and of equal count, and the histogram, of the positive values of a feature."""
    positive = column > 0
    values, where = column[positive], np.flatnonzero(positive)
    exponent = int(np.frexp(values.max())[1])
    cells = np.floor(np.ldexp(values.astype(np.float64), 6 - exponent)).astype(int)
    counts = np.bincount(cells, minlength=64)
    histogram = [[c * 2.0 ** (exponent - 6), (c + 1) * 2.0 ** (exponent - 6), int(counts[c])]
                 for c in range(64) if counts[c]]
    used = cells.max() + 1
    edges = [math.floor(b * used / BINS + 0.5) for b in range(BINS + 1)]
    mantissa, exponents = np.frexp(values.astype(np.float64))
    fine = np.maximum(0, 1 + 8 * (exponents - (exponent - 11)) + np.floor((2 * mantissa - 1) * 8).astype(int))
    fine_counts = np.bincount(fine, minlength=97)
    below = np.concatenate([[0], np.cumsum(fine_counts)])
    fine_edges = [0] + [int(np.flatnonzero(below * BINS >= len(values) * b)[0]) for b in range(1, BINS)]
    fine_edges.append(int(fine.max()) + 1)

    def fine_edge(cell):
        octave, part = divmod(cell - 1, 8)
        return 0.0 if cell <= 0 else 2.0 ** (exponent - 12 + octave) * (1 + part / 8)

    bins, drawn, sounds = [], [], []
    largest = float(values.max())
    for kind, cell_of, cuts, edge in [
        ("width", cells, edges, lambda c: c * 2.0 ** (exponent - 6)), ("quantile", fine, fine_edges, fine_edge),
    ]:
        for number, (low, high) in enumerate(zip(cuts, cuts[1:])):
            inside = np.flatnonzero((cell_of >= low) & (cell_of < high))
            bins.append([kind, number, min(edge(low), largest), min(edge(max(low, high)), largest), len(inside)])
            for place in sorted(inside, key=lambda p: moments[where[p]][0])[:RESERVOIR]:
                _, recording, frame = moments[where[place]]
                drawn.append([kind, number, recording, frame, float(values[place])])
            if kind == "width":
                heard = [labels[where[p]] for p in inside if labels[where[p]]]
                sounds += [[number, label, heard.count(label)] for label in sorted(set(heard))]
    return histogram, bins, drawn, sounds


# Labels.
def split(clips, per_clip):
    groups = {}
    for clip, values in zip(clips, per_clip):
        group = f"speaker {clip['labels']['voice']}"
        groups.setdefault(group, []).append((clip["recording"], len(values)))
    frames, parts = [0, 0], {}
    for group in sorted(groups, key=lambda g: key(0, "features split", g)):
        part = 0 if frames[0] <= frames[1] else 1
        for recording, count in groups[group]:
            parts[recording] = part
            frames[part] += count
    return parts


def entropy(counts):
    p = counts[counts > 0] / counts.sum()
    return float(-(p * np.log2(p)).sum())


def information(values, classes):
    order = np.sort(values)
    middle = (np.searchsorted(order, values, "left") + np.searchsorted(order, values, "right")) / 2
    bins = np.minimum(RANGES - 1, np.floor(middle / len(values) * RANGES)).astype(int)
    table = np.zeros((RANGES, classes.max() + 1))
    np.add.at(table, (bins, classes), 1)
    p = table / table.sum()
    outer = p.sum(1, keepdims=True) * p.sum(0, keepdims=True)
    plain = float((p[p > 0] * np.log2(p[p > 0] / outer[p > 0])).sum())
    degrees = ((table.sum(1) > 0).sum() - 1) * ((table.sum(0) > 0).sum() - 1)
    return max(0.0, plain - degrees / (2 * len(values) * math.log(2)))


def area(values, positive):
    ranks = np.empty(len(values))
    order = np.sort(values)
    ranks = (np.searchsorted(order, values, "left") + np.searchsorted(order, values, "right") + 1) / 2
    n, m = positive.sum(), (~positive).sum()
    return float((ranks[positive].sum() - n * (n + 1) / 2) / (n * m))


def label(column, heard, parts):
    """heard[lag]: the phoneme at each frame, "" for none; parts: 0 or 1 for each frame."""
    naming, scoring = parts == 0, parts == 1
    values = column.astype(np.float16).astype(np.float64)
    at_rest = heard[LAGS.index(0)]
    names = sorted(n for n in set(at_rest[naming]) if n and (at_rest[naming] == n).sum() >= MINIMUM)
    number = {name: index for index, name in enumerate(names)}
    classes = [np.array([number.get(h, len(names)) if h else len(names) + 1 for h in row]) for row in heard]
    ordered = np.sort(values[naming])
    threshold = ordered[math.ceil(QUANTILE * naming.sum() - 1e-9) - 1]
    lags = sorted(range(len(LAGS)), key=lambda i: (abs(LAGS[i]), LAGS[i]))
    lag = max(lags, key=lambda i: information(values[naming], classes[i][naming]))
    above = naming & (values > threshold)
    counts = np.bincount(classes[lag][above], minlength=len(names) + 2)
    bases = np.bincount(classes[lag][naming], minlength=len(names) + 2) / naming.sum()
    lifts = counts / max(1, above.sum()) / np.where(bases > 0, bases, 1)
    # Of labels that are no more frequent than elsewhere none is named.
    best = int(np.argmax(np.where(lifts >= LIFT, counts, 0)[:len(names)]))
    heard_above = scoring & (values > threshold)
    if above.sum() < MINIMUM or lifts[best] < LIFT or heard_above.sum() < MINIMUM:
        return None
    own = classes[lag] == best
    precision = float((heard_above & own).sum() / heard_above.sum())
    recall = float((heard_above & own).sum() / (scoring & own).sum())
    every = np.bincount(classes[lag][scoring], minlength=len(names) + 2)
    base = float((scoring & own).sum() / scoring.sum())
    if precision < LIFT * base:
        return None
    return {
        "base": base, "lift": precision / base, "label": names[best], "threshold": float(threshold), "lag": LAGS[lag], "precision": precision,
        "recall": recall, "f1": 0.0 if precision + recall == 0 else 2 * precision * recall / (precision + recall),
        "auc": area(values[scoring], own[scoring]),
        "mutual_information": information(values[scoring], classes[lag][scoring]),
        "selectivity": 1 - entropy(np.bincount(classes[lag][heard_above])) / entropy(every),
        "named_frames": int(above.sum()), "scored_frames": int(heard_above.sum()),
        "named_precision": float(counts[best] / above.sum()),
    }


def main():
    told, per_clip = zip(*clips())
    (HERE / "activations.f32").write_bytes(b"".join(values.astype("<f4").tobytes() for values in per_clip))
    for clip, values in zip(told, per_clip):
        clip["frames"] = len(values)
    everything = np.concatenate(per_clip)
    moments, labels, heard, voices = [], [], [[] for _ in LAGS], []
    for clip, values in zip(told, per_clip):
        for frame in range(len(values)):
            moments.append((moment(clip["recording"], frame), clip["recording"], frame))
            labels.append(sound_at(clip["phonemes"], (frame + 0.5) / 50))
            voices.append(clip["labels"]["voice"])
            for row, lag in zip(heard, LAGS):
                row.append(sound_at(clip["phonemes"], (frame + 0.5) / 50 - 0.02 * lag) or "")
    heard = [np.array(row, dtype=object) for row in heard]
    parts = split(told, per_clip)
    part_of_frame = np.array([parts[recording] for _, recording, _ in moments])
    voices = np.array(voices)
    expected = []
    for feature in range(FEATURES):
        column = everything[:, feature]
        wide = column.astype(np.float64)
        histogram, bins, drawn, sounds = ranges(column, moments, labels)
        expected.append({
            "frames": len(wide), "mean": wide.mean(), "variance": wide.var(), "minimum": wide.min(),
            "maximum": wide.max(), "density": (wide > 0).mean(), "examples": examples(per_clip, feature),
            "histogram": histogram, "bins": bins, "bin_examples": drawn, "bin_sounds": sounds,
            "voices": [[voice, int((voices == voice).sum()), wide[voices == voice].mean(), wide[voices == voice].var(),
                        wide[voices == voice].max(), (wide[voices == voice] > 0).mean()]
                       for voice in sorted(set(voices))],
            "label": label(column, heard, part_of_frame),
        })
    settings = {
        "hook": HOOK, "features": FEATURES, "k": K, "bins": BINS, "reservoir": RESERVOIR, "seed": SEED,
        "threshold": QUANTILE, "minimum": MINIMUM,
        "split": ["name" if parts[clip["recording"]] == 0 else "score" for clip in told],
    }
    json.dump(told, open(HERE / "clips.json", "w"), separators=(",", ":"))
    json.dump({"settings": settings, "features": expected}, open(HERE / "expected.json", "w"), separators=(",", ":"))


if __name__ == "__main__":
    main()
