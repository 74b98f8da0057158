"""How a seed divides rows into parts and draws control labels: the plugin's rule, written a second time.

Two fits can only be compared on the same rows, so the hash is the plugin's: FNV-1a, stirred by SplitMix64's finaliser.
"""

from collections import Counter

import numpy as np

MASK = (1 << 64) - 1
TRAIN, VALIDATION, TEST = range(3)


def stirred(value):
    value = (value + 0x9E3779B97F4A7C15) & MASK
    value = ((value ^ value >> 30) * 0xBF58476D1CE4E5B9) & MASK
    value = ((value ^ value >> 27) * 0x94D049BB133111EB) & MASK
    return value ^ value >> 31


def key(seed, purpose, text):
    """FNV-1a over purpose, 0xff and text, stirred with the seed."""
    value = 0xCBF29CE484222325
    for byte in purpose.encode() + b"\xff" + text.encode():
        value = ((value ^ byte) * 0x100000001B3) & MASK
    return stirred(value ^ stirred(seed))


def groups(labels, speakers, recordings):
    """-> the group of each row, and whether groups are speakers; a recording without one stands for its own."""
    alone = [f"recording {number}" for number in recordings]
    named = [f"speaker {speaker}" if speaker else own for speaker, own in zip(speakers, alone)]
    enough = all(len({group for group, own in zip(named, labels) if own == label}) >= 3 for label in set(labels))
    by_speaker = any(speakers) and len(set(named)) >= 3 and enough
    return (named, True) if by_speaker else (alone, False)


def parts(labels, groups, seed):
    """TRAIN, VALIDATION or TEST for each row: of the groups with the same most frequent class, ordered by key, a fifth
    test and a fifth validate."""
    common = {}
    for group in set(groups):
        counts = Counter(label for label, own in zip(labels, groups) if own == group)
        common[group] = min(counts, key=lambda label: (-counts[label], label))
    place = {}
    for label in set(common.values()):
        order = sorted((group for group in common if common[group] == label),
                       key=lambda group: (key(seed, "split", group), group))
        share = max(1, int(np.floor(0.2 * len(order) + 0.5))) if len(order) >= 3 else 0
        for number, group in enumerate(order):
            place[group] = TEST if number < share else VALIDATION if number < 2 * share else TRAIN
    return np.array([place[group] for group in groups])


def control(kinds, shares, seed):
    """A class for each kind, drawn from `shares`: Hewitt and Liang's control task."""
    edges = np.cumsum(shares)
    return np.array([int(np.searchsorted(edges, (key(seed, "control", kind) >> 11) * 2.0 ** -53, side="right"))
                     for kind in kinds])
