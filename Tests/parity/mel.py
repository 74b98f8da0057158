"""The log-mel against openai-whisper's: every band and frame of every window, padding included.

`log_mel` traces a model's input. The models here are as small as can be; only their bands and context matter.
"""

import numpy as np
import torch
from whisper.model import ModelDimensions

import checkpoints
import layouts
import recordings
import reference
import vocabularies

BOUND = 1e-4
#: Two windows and a part of a third, for the longest context.
LONGEST = 65 * recordings.RATE


def check(auscult, work):
    """-> whether every value of every recording is within 1e-4."""
    signals = {path.name: recordings.read(path)[:LONGEST] for path in recordings.found()} | recordings.synthetic()
    models = [(bands, context, small(work, bands, context)) for bands in (80, 128) for context in (1500, 500)]
    print(f"\nLog-mel, worst |Δ| over all bands and frames; bound {BOUND:g}")
    columns = (f"{f'{bands} bands, {context // 50} s':>18}" for bands, context, _ in models)
    print(f"{'recording':<28}{'seconds':>8}" + "".join(columns))
    passed = True
    for name, samples in signals.items():
        recording = recordings.write(samples, work / "mel.wav")
        worst = [error(auscult, work, recording, samples, *model) for model in models]
        passed &= all(value <= BOUND for value in worst)
        print(f"{name:<28}{len(samples) / recordings.RATE:>8.2f}" + "".join(
            f"{value:>16.1e}{'  ' if value <= BOUND else ' ✗'}" for value in worst))
    for _, _, path in models:
        path.unlink()
    return passed


def error(auscult, work, recording, samples, bands, context, checkpoint):
    """The largest deviation in any window; infinite where the windows or their shapes are not as expected."""
    actual = dict(auscult.trace(recording, checkpoint, ["log_mel"], [], work / "mel.safetensors"))
    length = context * 320
    starts = range(0, len(samples), length)
    names = [f"log_mel@window{index + 1}" for index in range(len(starts))] if len(starts) > 1 else ["log_mel"]
    if sorted(actual) != sorted(names):
        return float("inf")
    worst = 0.0
    for name, start in zip(names, starts):
        window = torch.from_numpy(samples[start:start + length])
        expected = reference.log_mel(window, bands, 2 * context).numpy()
        if actual[name].shape != expected.shape or not np.isfinite(actual[name]).all():
            return float("inf")
        worst = max(worst, float(np.abs(actual[name] - expected).max()))
    return worst


def small(work, bands, context):
    vocabulary = vocabularies.micro(timestamps=context + 1)
    dimensions = ModelDimensions(bands, context, 16, 1, 1, len(vocabulary), 8, 16, 1, 1)
    path = work / f"mel-{bands}-{context}.pt"
    layouts.write_openai(path, dimensions, checkpoints.random_state(dimensions, seed=0))
    return path
