"""How far two activations may be apart."""

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
