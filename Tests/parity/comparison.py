"""How far two activations, and two figures of an analysis, may be apart."""

from dataclasses import dataclass

import numpy as np

#: A float32 forward pass of this depth, summed in another order, stays an order of magnitude below both.
RELATIVE_L2, RELATIVE_MAX = 2e-5, 1e-4


@dataclass
class Difference:
    """`l2`: ‖a − r‖ / ‖r‖. `max`: max |a − r| / max |r|. `problem`: why they cannot be compared."""
    l2: float = 0.0
    max: float = 0.0
    problem: str = ""

    @property
    def passes(self):
        return not self.problem and self.l2 <= RELATIVE_L2 and self.max <= RELATIVE_MAX


def difference(actual, reference):
    """Entries of −∞ (the decoder's causal mask) must lie at the same places; the others are measured."""
    if actual.shape != reference.shape:
        return Difference(problem=f"shape {list(actual.shape)}, expected {list(reference.shape)}")
    masked = np.isneginf(reference)
    if not np.array_equal(np.isneginf(actual), masked):
        return Difference(problem="other entries are masked")
    actual, reference = (np.where(masked, 0, array).astype(np.float64) for array in (actual, reference))
    if not np.isfinite(actual).all():
        return Difference(problem="not finite")
    delta = actual - reference
    norm, peak = np.linalg.norm(reference), np.abs(reference).max(initial=0)
    if norm == 0:
        return Difference(problem="" if not delta.any() else "not zero, as the reference is")
    return Difference(float(np.linalg.norm(delta) / norm), float(np.abs(delta).max() / peak))


class Figures:
    """Compares figures, and keeps the worst of each kind."""

    def __init__(self):
        self.passed, self.worst = True, {}

    def __call__(self, kind, name, actual, expected):
        """max |a − e| against max |e|; what is no number must be none on both sides."""
        actual, expected = np.asarray(actual, np.float64), np.asarray(expected, np.float64)
        if actual.shape != expected.shape or (np.isnan(actual) != np.isnan(expected)).any():
            return self.check(False, name, f"{list(actual.shape)}, expected {list(expected.shape)}, or other NaNs")
        scale = np.nanmax(np.abs(expected), initial=0) or 1
        delta = np.abs(actual - expected)
        error = float(np.nanmax(delta, initial=0) / scale)
        # Each by itself: for the report, since what is nearly 0 has no relative error to speak of.
        single = float(np.nanmax(delta[expected != 0] / np.abs(expected[expected != 0]), initial=0))
        count, worst, where, alone = self.worst.get(kind, (0, -1.0, "", 0.0))
        self.worst[kind] = (
            count + expected.size, max(worst, error), name if error > worst else where, max(alone, single))
        return self.check(error <= RELATIVE_MAX, name, f"max |Δ| / max |reference| {error:.1e}")

    def check(self, passed, name, said):
        if not passed:
            print(f"  FAILED {name}: {said}")
        self.passed &= bool(passed)
        return bool(passed)

    def report(self):
        """Says what was compared since the last report."""
        for kind, (count, worst, where, alone) in self.worst.items():
            print(f"  {kind}: {count} figures, worst max |Δ| / max |reference| {worst:.1e} ({where}), "
                  f"worst |Δ| / |reference| {alone:.1e}")
        self.worst = {}
