"""The log-mel against openai-whisper's, through the command line alone.

No hook point is the log-mel itself. But a checkpoint whose first convolution copies its input and adds 10 makes
`encoder.conv1` equal GELU(mel + 10), and GELU(x) = x in float32 from 6 on; taking 10 away again costs 5e-7.
"""

import numpy as np
import torch
from whisper.model import ModelDimensions

import checkpoints
import layouts
import recordings
import reference
import vocabularies

BOUND, LIFT = 1e-4, 10


def check(auscult, work):
    """-> whether every frame of every recording is within 1e-4, padding included."""
    signals = {path.name: recordings.read(path) for path in recordings.found()} | recordings.synthetic()
    print(f"\nLog-mel, worst |Δ| over all bands and frames; bound {BOUND:g}")
    models = [(bands, context, transparent(work, bands, context)) for bands in (80, 128) for context in (1500, 500)]
    print(f"{'recording':<28}{'seconds':>8}" + "".join(f"{f'{bands} bands, {context / 50:g} s':>18}" for bands, context, _ in models))
    passed = True
    for name, samples in signals.items():
        recording = recordings.write(samples, work / "mel.wav")
        worst = [error(auscult, work, recording, samples, *model) for model in models]
        passed &= max(worst) <= BOUND
        print(f"{name:<28}{len(samples) / recordings.RATE:>8.2f}" + "".join(
            f"{value:>16.1e}{' ✗' if value > BOUND else '  '}" for value in worst))
    for _, _, path in models:
        path.unlink()
    return passed


def error(auscult, work, recording, samples, bands, context, checkpoint):
    traced = dict(auscult.trace(recording, checkpoint, ["encoder.conv1"], [], work / "mel.safetensors"))
    actual = traced["encoder.conv1"][:, :bands] - LIFT
    expected = reference.log_mel(torch.from_numpy(samples), bands, 2 * context).numpy().T
    return float(np.abs(actual - expected).max()) if actual.shape == expected.shape else float("inf")


def transparent(work, bands, context):
    """A checkpoint whose `encoder.conv1` is the log-mel plus LIFT."""
    vocabulary = vocabularies.micro(timestamps=context + 1)
    dimensions = ModelDimensions(bands, context, bands, 1, 1, len(vocabulary), 8, bands, 1, 1)
    state = checkpoints.random_state(dimensions, seed=0)
    state["encoder.conv1.weight"] = np.zeros((bands, bands, 3), np.float32)
    state["encoder.conv1.weight"][:, :, 1] = np.eye(bands)
    state["encoder.conv1.bias"] = np.full(bands, LIFT, np.float32)
    path = work / f"mel-{bands}-{context}.pt"
    layouts.write_openai(path, dimensions, state)
    return path
