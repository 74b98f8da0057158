"""`auscult run rollout` against the paper's formula (Chefer, Gur and Wolf 2021) in PyTorch, on patterns and gradients of autograd.py.

R <- I, and for each block of the encoder R <- R + mean over heads of max(0, gradient * pattern) R, in double precision. Compared are the rows and
columns that the plugin draws, frame by frame.
"""

import numpy as np
import torch

import autograd
import checkpoints
import recordings
import reference

RELATIVE_L2 = 1e-4


def check(auscult, work, default):
    """-> whether everything passed. The default model, and released ones where `make released` has brought them."""
    name, samples = recordings.speech()
    folder = work.resolve() / "rollout"
    folder.mkdir(exist_ok=True)
    print(f"Rollout of {name} ({len(samples) / recordings.RATE:.1f} s); bound: relative L2 {RELATIVE_L2:g}")
    builders = checkpoints.builders(default, random=[])
    return all([check_model(auscult, build(), folder, samples) for build in builders.values()])


def check_model(auscult, weights, folder, samples):
    dimensions = weights.dimensions
    samples = samples[:320 * dimensions.n_audio_ctx]  # one window
    recording = recordings.write(samples, folder / "speech.wav")
    found = auscult.analysis("rollout", weights.source, recording, "-p", "clip=100", "-p", "size=1500")["map"]
    drawn = np.array([[np.nan if value is None else value for value in row] for row in found["values"]], dtype=np.float64)
    network = reference.model(dimensions, weights.state)
    mel = reference.log_mel(torch.from_numpy(samples), dimensions.n_mels, 2 * dimensions.n_audio_ctx)
    values = reference.activations(network, mel, weights.prompt)
    _, slopes = autograd.gradients(network, mel, weights.prompt, autograd.encoder_sum)
    expected = rollout(values, slopes, dimensions.n_audio_layer)[:len(drawn), :len(drawn)]
    # A blank line stands at the end of the audio, where anything follows it.
    blank, valid = np.isnan(drawn), -(-len(samples) // 320)
    rest = expected[~blank]
    error = np.linalg.norm(drawn[~blank] - rest) / np.linalg.norm(rest)
    is_right = error <= RELATIVE_L2 and blank.sum() == (2 * len(drawn) - 1 if len(drawn) > valid else 0)
    print(f"  {weights.name}: {len(drawn)} frames, relative L2 {error:.1e}{'' if is_right else ' FAILED'}")
    return is_right


def rollout(values, slopes, layers):
    relevance = None
    for layer in range(layers):
        name = f"encoder.blocks.{layer}.attn.pattern"
        weighted = np.maximum(0, values[name].astype(np.float64) * slopes[name]).mean(axis=0)
        relevance = np.eye(len(weighted)) if relevance is None else relevance
        relevance = relevance + weighted @ relevance
    return relevance - np.eye(len(relevance))
