"""Gradients of four objectives at every hook point, and at the log-mel, against PyTorch's autograd (autograd.py).

Random weights of three shapes, the default model, and released models where `make released` has brought them.
Prints, for each checkpoint and objective, the worst layer of every kind of hook point.
"""

from collections import defaultdict
from pathlib import Path

import numpy as np
import torch

import autograd
import checkpoints
import hookpoints
import layouts
import recordings
import reference
from comparison import Difference, difference

#: A backward pass is about as deep again as the forward pass, whose activations are held to 2e-5.
RELATIVE_L2 = 1e-4


def check(auscult, work, default, only=()):
    """-> whether everything passed; None where nothing was compared. `default`: the Hugging Face folder of the default model."""
    name, samples = recordings.speech()
    print(f"Gradients on {name} ({len(samples) / recordings.RATE:.1f} s); bound: relative L2 {RELATIVE_L2:g}")
    builders = checkpoints.builders(default)
    return checkpoints.passes(builders, only, lambda weights: check_checkpoint(auscult, work, weights, samples))


def objectives(weights):
    """The engine's text of each, and the reference's function."""
    tokens, layer = weights.prompt, weights.dimensions.n_audio_layer - 1
    prompt = next(index for index, token in enumerate(tokens) if token < len(weights.vocabulary.ranks))
    hook = f"encoder.blocks.{layer}.mlp.1"
    return {"encoder-sum": autograd.encoder_sum,
            "transcript": autograd.log_probability(tokens, prompt),
            f"token 400 - 500 behind {len(tokens) - 2}": autograd.logit(400, 500, len(tokens) - 2),
            f"{hook}:5@frames 20:90": autograd.element(hook, 5, (20, 90))}


def check_checkpoint(auscult, work, weights, samples):
    dimensions = weights.dimensions
    samples = samples[:320 * dimensions.n_audio_ctx]  # one window
    recording = recordings.write(samples, work / "speech.wav")
    folder = weights.source
    if folder is None:
        folder = work / f"{weights.name}-hf"
        layouts.write_huggingface(folder, dimensions, weights.state, weights.vocabulary,
                                  fast=weights.name != "english")
    network = reference.model(dimensions, weights.state)
    mel = reference.log_mel(torch.from_numpy(samples), dimensions.n_mels, 2 * dimensions.n_audio_ctx)
    print(f"\n{weights.name}")
    passed = True
    for text, objective in objectives(weights).items():
        value, exact = autograd.gradients(network, mel, weights.prompt, objective)
        found = compare(auscult, folder, recording, weights, text, exact)
        passed &= show(text, value, found, dimensions)
    if weights.source is None:
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()
    return passed


def compare(auscult, folder, recording, weights, text, exact):
    """Hook point -> Difference. One trace a layer: an encoder layer's scores and pattern alone can be 100 MB."""
    dimensions, found = weights.dimensions, {}
    every = ["log_mel", *hookpoints.every(dimensions)]
    groups = [["log_mel", "encoder.conv*", "encoder.positional", "encoder.ln_post"], ["decoder.**"]]
    groups += [[f"encoder.blocks.{layer}", f"encoder.blocks.{layer}.**"] for layer in range(dimensions.n_audio_layer)]
    out = Path(recording).with_suffix(".safetensors")
    for globs in groups:
        if globs[0].startswith("decoder") and text.startswith("encoder"):
            continue  # behind the objective
        for name, actual in auscult.trace(recording, folder, globs, weights.prompt, out, "--objective", text):
            hook, _, kind = name.partition("@")
            if kind == "grad":
                found[hook] = measured(actual, exact.get(hook))
    for name in every:
        if name in exact:
            found.setdefault(name, Difference(problem="has no gradient in the trace"))
    return found


def measured(actual, exact):
    """What autograd has no gradient for lies behind the objective: there it is nothing."""
    if exact is None:
        return Difference(problem="" if not actual.any() else "a gradient behind the objective")
    # −∞ stands nowhere in a gradient, and a masked score has none.
    return difference(actual, np.nan_to_num(exact))


def show(text, value, found, dimensions):
    """The table of one objective; a row is the worst of all layers. -> whether everything passed."""
    rows = defaultdict(list)
    for name, one in found.items():
        rows[hookpoints.kind(name)].append(one)
    failures = {name: one for name, one in found.items() if one.problem or one.l2 > RELATIVE_L2}
    worst = max(found, key=lambda name: found[name].l2)
    print(f"  {text} = {value:.6g}: {len(found)} places, {len(failures)} failures; worst {found[worst].l2:.1e} at {worst}")
    for kind, ones in rows.items():
        print(f"    {kind:<36}{max(one.l2 for one in ones):>10.1e}{max(one.max for one in ones):>10.1e}")
    for name, one in list(failures.items())[:20]:
        print(f"    FAILED {name}: {one.problem or f'relative L2 {one.l2:.1e}'}")
    return not failures
