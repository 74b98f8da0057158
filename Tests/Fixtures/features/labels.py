"""Labels of invented recordings, with every figure and p-value, by plain loops: what the plugin `features` has to find.

    python3 Tests/Fixtures/features/labels.py

Writes labels.json beside itself: the recordings with their activations, and for each run the rows of the table
`labels`. Nothing is shared with the plugin but the definitions: draws, samples, weights, ranges, rotations and deals
are done here once more, one frame after the other. It needs numpy only as generate.py does, whose keys it takes.

Where two ways to round could lead to two names or lags, the data is unfit and an assertion says so.
"""
import json
import math
import random
from fractions import Fraction
from pathlib import Path

from generate import MASK, key, stirred

HERE = Path(__file__).parent
GOLDEN = 0x9E3779B97F4A7C15
SOUNDS = ["ah", "m", "n", "s", "t"]
LANGUAGES = {"fr": ["bea", "gil", "ida", "lea", "noa"]}
SPEAKERS = ["ann", "bea", "cem", "dan", "eli", "fay", "gil", "hal", "ida", "jon", "kim", "lea", "max", "noa", "pam"]
RUNS = [
    {"sample": 100000, "minimum": 4, "threshold": 0.9, "permutations": 99, "lift": 1.25, "split-seed": 0,
     "selective-recall": 0.3, "sides": "both", "kinds": "phoneme,word,speaker,language,room"},
    # Any label, from a sample in which a frame stands for several.
    {"sample": 400, "sample-per-sound": 50, "minimum": 3, "threshold": 0.85, "permutations": 60, "lift": 0,
     "split-seed": 5, "selective-recall": 0.05, "sides": "+", "kinds": "phoneme,speaker,language,room"},
]
SEED = 17


class SplitMix:
    def __init__(self, seed):
        self.state = seed

    def next(self):
        value = stirred(self.state)
        self.state = (self.state + GOLDEN) & MASK
        return value

    def below(self, bound):
        """Lemire's way: the upper half of a product, but for the few products that would favour a number."""
        while True:
            product = self.next() * bound
            if product % 2**64 >= 2**64 % bound:
                return product >> 64


# What is there.
def recordings():
    draw = random.Random(4)
    for number in range(45):
        speaker = SPEAKERS[number % 15]
        frames = draw.randrange(14, 30)
        phonemes, words, frame = [], [], draw.randrange(3)
        while frame < frames - 2:
            end = min(frames, frame + draw.randrange(2, 6))
            sound = draw.choice(SOUNDS)
            phonemes.append([frame / 50, end / 50, sound])
            words.append([frame / 50, end / 50, {"s": "yes", "n": "no"}.get(sound, "well")])
            frame = end + (draw.randrange(1, 3) if draw.random() < 0.3 else 0)
        columns = {
            "speaker": speaker, "language": "fr" if speaker in LANGUAGES["fr"] else "en",
            "room": "hall" if draw.random() < 0.15 else "dry",
        }
        # One of whom nothing is said, one without sounds, one without a speaker, one without a room.
        if number == 7:
            phonemes, words = [], []
        if number == 11:
            del columns["speaker"]
        if number == 20:
            del columns["room"]
        rows = []
        for frame in range(frames):
            heard = sound_at(phonemes, (frame + 0.5) / 50)
            late = sound_at(phonemes, (frame + 0.5) / 50 - 0.06)
            noise = [draw.gauss(0, 1) for _ in range(7)]
            rows.append([
                3 * (heard == "s") + noise[0],
                3 * (late == "m") + noise[1],
                2 * (columns["language"] == "fr") + noise[2],
                # Ties.
                round(noise[3]) + (heard == "n"),
                2.5 * (columns.get("room") == "hall") + noise[4],
                # What is heard at the smallest values.
                -3 * (heard == "t") + 0.5 * noise[5],
                noise[6],
            ])
        # Exact in half precision.
        rows = [[round(value * 64) / 64 for value in row] for row in rows]
        yield {"recording": number, "name": f"r{number}.wav", "frames": frames, "labels": columns,
               "phonemes": phonemes, "words": words, "values": rows}


def sound_at(sounds, time):
    return next((label for start, end, label in sounds if start <= time < end), "")


# Which frames are kept, which part they are in, and how many each stands for.
def sampled(clips, run):
    frames = [(c, f) for c in clips for f in range(c["frames"])]
    salt = key(SEED, "moments", "")
    ordered = sorted(frames, key=lambda m: stirred((m[0]["recording"] << 24 | m[1]) ^ salt))
    kept, of_sound = [], {}
    for rank, (clip, frame) in enumerate(ordered):
        sound = sound_at(clip["phonemes"], (frame + 0.5) / 50)
        place = of_sound[sound] = of_sound.get(sound, 0) + 1
        if rank < run["sample"] or sound and place <= run.get("sample-per-sound", 64):
            kept.append((clip, frame))
    return sorted(kept, key=lambda m: (m[0]["recording"], m[1]))


def split(clips, seed, by_speaker):
    groups = {}
    for clip in clips:
        speaker = clip["labels"].get("speaker") if by_speaker else None
        group = f"speaker {speaker}" if speaker else f"recording {clip['recording']}"
        groups.setdefault(group, []).append(clip)
    frames, parts = [0, 0], {}
    for group in sorted(groups, key=lambda g: key(seed, "features split", g)):
        part = 0 if frames[0] <= frames[1] else 1
        for clip in groups[group]:
            parts[clip["recording"]] = part
            frames[part] += clip["frames"]
    return parts


def weigh(clips, kept, parts):
    """Exact: how many frames of its sound and part a kept frame stands for."""
    def counts(moments):
        table = {}
        for clip, frame in moments:
            place = parts[clip["recording"]], sound_at(clip["phonemes"], (frame + 0.5) / 50)
            table[place] = table.get(place, 0) + 1
        return table
    everything = counts((c, f) for c in clips for f in range(c["frames"]))
    some = counts(kept)
    return {place: Fraction(everything[place], some[place]) for place in some}


# The figures, each by its definition.
def ranges(values, weights):
    total = sum(weights)
    def of(value):
        below = sum(w for v, w in zip(values, weights) if v < value)
        own = sum(w for v, w in zip(values, weights) if v == value)
        return min(7, math.floor((below + own / 2) / total * 8))
    known = {value: of(value) for value in set(values)}
    return [known[value] for value in values]


def information(values, weights, classes):
    bins = ranges(values, weights)
    joint = {}
    for b, c, w in zip(bins, classes, weights):
        joint[b, c] = joint.get((b, c), 0) + w
    total = sum(joint.values())
    p = {place: float(w / total) for place, w in joint.items()}
    rows = {b: sum(w for (x, _), w in p.items() if x == b) for b, _ in p}
    columns = {c: sum(w for (_, x), w in p.items() if x == c) for _, c in p}
    plain = sum(w * math.log2(w / (rows[b] * columns[c])) for (b, c), w in p.items())
    return max(0.0, plain - (len(rows) - 1) * (len(columns) - 1) / (2 * len(values) * math.log(2)))


def area(values, weights, positive):
    above = ones = others = Fraction(0)
    for value, weight, is_one in zip(values, weights, positive):
        if not is_one:
            others += weight
            continue
        ones += weight
        for other, more, is_other_one in zip(values, weights, positive):
            if not is_other_one:
                above += weight * more * (1 if other < value else Fraction(1, 2) if other == value else 0)
    return float(above / (ones * others)) if ones and others else None


def entropy(counts):
    total = sum(counts)
    return -sum(float(w / total) * math.log2(w / total) for w in counts if w)


def by_class(classes, weights, names):
    return {name: sum(w for c, w in zip(classes, weights) if c == name) for name in names}


def quotient(a, b):
    return None if b == 0 else float(Fraction(a) / b)


class Part:
    """One kind's frames of one part."""
    def __init__(self, moments, weights, heard):
        self.moments, self.weights, self.heard = moments, weights, heard

    def values(self, feature, sign):
        return [sign * clip["values"][frame][feature] for clip, frame in self.moments]


def heard(kind, clip, frame, lag):
    """None where nothing of the kind is known of the recording."""
    if kind in ("phoneme", "word"):
        sounds = clip[kind + "s"]
        return sound_at(sounds, (frame + 0.5) / 50 - 0.02 * lag) if sounds else None
    return clip["labels"].get(kind)


def draws(kind, part, clips, parts, run):
    """Functions that give the label and the weight that a place has in each draw of the null."""
    if kind in ("phoneme", "word"):
        generator = SplitMix(key(run["split-seed"], "rotations", kind))
        count = len(part.moments)
        least = max(1, min(50, count // 4))
        offsets = [least + generator.below(max(1, count - least) - least + 1) for _ in range(run["permutations"])]
        return [lambda place, labels, o=offset: (labels[(place + o) % count], part.weights[(place + o) % count])
                for offset in offsets]
    generator = SplitMix(key(run["split-seed"], "deals", kind))
    scoring = [clip for clip in clips if parts[clip["recording"]] == 1 and clip["labels"].get("speaker")]
    values = {}
    for clip in scoring:
        if kind in clip["labels"]:
            values.setdefault(clip["labels"]["speaker"], set()).add(clip["labels"][kind])
    of_speakers = kind != "speaker" and all(len(own) == 1 for own in values.values())
    def unit(clip):
        speaker = clip["labels"].get("speaker") if of_speakers else None
        return f"speaker {speaker}" if speaker else f"recording {clip['recording']}"
    units = [unit(clip) for clip, _ in part.moments]
    order = list(dict.fromkeys(units))
    dealt = [part.heard[0][units.index(name)] for name in order]
    deals = []
    for _ in range(run["permutations"]):
        for place in range(len(dealt) - 1, 0, -1):
            other = generator.below(place + 1)
            dealt[place], dealt[other] = dealt[other], dealt[place]
        deals.append(dict(zip(order, dealt)))
    return [lambda place, labels, d=deal: (d[units[place]], part.weights[place]) for deal in deals]


def first_largest(pairs, exact):
    """The first of the largest; none may be so near that rounding could decide."""
    best = max(value for _, value in pairs)
    near = [name for name, value in pairs if value != best and value > best * (1 - 1e-9) and best > 0]
    assert not near and (exact or best == 0 or sum(value == best for _, value in pairs) == 1), (pairs, near)
    return next(name for name, value in pairs if value == best)


def precisions(values, weights, right, recall, minimum):
    """Average precision, and the precision at the largest value from which on `recall` of what is right is found."""
    positives = sum(w for w, r in zip(weights, right) if r)
    if not positives:
        return None, None
    average, matched, found, all_found, count = Fraction(0), None, Fraction(0), Fraction(0), 0
    places = {}
    for place, value in enumerate(values):
        places.setdefault(value, []).append(place)
    for value in sorted(places, reverse=True):
        gain = sum(weights[p] for p in places[value] if right[p])
        found, all_found = found + gain, all_found + sum(weights[p] for p in places[value])
        count += len(places[value])
        average += Fraction(gain) / positives * (found / all_found)
        if matched is None and count >= minimum and found >= recall * positives:
            matched = found / all_found
    return float(average), float(matched)


def labels_of(kind, clips, kept, run, features):
    parts = split(clips, run["split-seed"], kind != "speaker")
    weight_of = weigh(clips, kept, parts)
    lags = sorted(range(-5, 6), key=lambda lag: (abs(lag), lag)) if kind in ("phoneme", "word") else [0]
    both = []
    for number in (0, 1):
        moments = [(c, f) for c, f in kept if parts[c["recording"]] == number and heard(kind, c, f, 0) is not None]
        weights = [weight_of[number, sound_at(c["phonemes"], (f + 0.5) / 50)] for c, f in moments]
        both.append(Part(moments, weights, {lag: [heard(kind, c, f, lag) or "" for c, f in moments] for lag in lags}))
    naming, scoring = both
    at_rest = naming.heard[0]
    names = sorted(name for name in set(at_rest) if name and at_rest.count(name) >= run["minimum"])
    if not names or min(len(p.moments) for p in both) < run["minimum"]:
        return
    # Those with too few to be named are one class, and frames without a label are another.
    for part in both:
        part.heard = {lag: [h if h in names else "<other>" if h else "<none>" for h in row]
                      for lag, row in part.heard.items()}
    classes = names + ["<other>", "<none>"]
    null = draws(kind, scoring, clips, parts, run)
    is_exact = all(w == 1 for w in naming.weights)
    for feature in range(features):
        for sign in (1, -1) if run["sides"] == "both" else (1,):
            values, scored_values = naming.values(feature, sign), scoring.values(feature, sign)
            total = sum(naming.weights)
            wanted = Fraction(str(run["threshold"])) * total
            threshold = next(value for value in sorted(set(values))
                             if sum(w for v, w in zip(values, naming.weights) if v <= value) >= wanted)
            lag = first_largest([(lag, information(values, naming.weights, naming.heard[lag])) for lag in lags], True)
            above = [place for place, value in enumerate(values) if value > threshold]
            if len(above) < run["minimum"]:
                continue
            listens = by_class([naming.heard[lag][p] for p in above], [naming.weights[p] for p in above], names)
            everywhere = by_class(naming.heard[lag], naming.weights, names)
            all_above = sum(naming.weights[p] for p in above)
            limit = Fraction(str(run["lift"]))
            candidates = [(name, listens[name]) for name in names if listens[name] > 0
                          and listens[name] / all_above >= limit * everywhere[name] / total]
            if not candidates:
                continue
            name = first_largest(candidates, is_exact)
            above_too = [place for place, value in enumerate(scored_values) if value > threshold]
            if len(above_too) < run["minimum"]:
                continue
            row, weights = scoring.heard[lag], scoring.weights
            ours = sum(weights[p] for p in above_too)
            right = sum(weights[p] for p in above_too if row[p] == name)
            whole = by_class(row, weights, classes)
            base, precision = Fraction(whole[name]) / sum(weights), Fraction(right) / ours
            if precision < limit * base:
                continue
            recall = quotient(right, whole[name])
            f1 = None
            if recall is not None:
                f1 = 0.0 if right == 0 else 2 * float(precision) * recall / (float(precision) + recall)
            no_worse = 0
            for draw in null:
                drawn = [draw(place, row) for place in above_too]
                drawn_precision = Fraction(sum(w for label, w in drawn if label == name)) / sum(w for _, w in drawn)
                assert drawn_precision == precision or abs(drawn_precision - precision) > 1e-7
                no_worse += drawn_precision >= precision
            listening = by_class([row[p] for p in above_too], [weights[p] for p in above_too], classes)
            yield [
                feature, "+" if sign > 0 else "-", kind, name, sign * threshold, lag, float(precision), recall, f1,
                area(scored_values, weights, [label == name for label in row]),
                information(scored_values, weights, row),
                1 - entropy(listening.values()) / entropy(whole.values()), (1 + no_worse) / (1 + len(null)),
                len(above), len(above_too), float(listens[name] / all_above), float(base), quotient(precision, base),
                *precisions(scored_values, weights, [label == name for label in row],
                            Fraction(str(run["selective-recall"])), run["minimum"]),
            ]


def main():
    clips = list(recordings())
    features = len(clips[0]["values"][0])
    runs = []
    for run in RUNS:
        kept = sampled(clips, run)
        rows = [row for kind in run["kinds"].split(",") for row in labels_of(kind, clips, kept, run, features)]
        runs.append({"arguments": {name: str(value) for name, value in run.items()}, "kept": len(kept), "labels": rows})
    json.dump({"seed": SEED, "clips": clips, "runs": runs}, open(HERE / "labels.json", "w"), separators=(",", ":"))


if __name__ == "__main__":
    main()
