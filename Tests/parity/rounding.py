"""How far every hook point of a released Whisper is from what double precision gives, beside how far PyTorch is.

Two implementations in single precision differ by rounding, and neither is the truth. So both are compared with
openai-whisper in double precision (precise.py), each from the recording on, its own log-mel included. A hook point passes
where auscult's error, over all recordings, is not larger than PyTorch's.
"""

import math
from collections import defaultdict

import numpy as np
import torch

import hookpoints
import precise
import recordings
import reference
from comparison import Difference, difference

#: Both errors are sums of roundings, which fall differently in each recording: an error within this of PyTorch's is as large.
ALIKE = 1.02


def check(auscult, work, model, samples_of):
    """`model`: a released one (released.py). -> whether every hook point of every recording passes."""
    network, exact = model.network, precise.model(model.network)
    errors = defaultdict(list)  # hook point -> (ours, PyTorch's) for each recording
    problems = []
    for name, samples in samples_of.items():
        samples = samples[:recordings.RATE * 30]
        prompt = model.prompt(samples)
        theirs, truth = {}, expected(exact, samples, prompt)
        lengths = {hook: length(array) for hook, array in truth.items()}

        def measure(hook, array):
            theirs[hook] = distance(array, truth[hook], lengths[hook]).l2

        with torch.no_grad():
            mel = reference.log_mel(torch.from_numpy(samples), network.dims.n_mels, 3000)
            measure("log_mel", mel.numpy())
            reference.activations(network, mel, prompt, measure)
        missing = set(truth)
        for hook, array in traced(auscult, work, model, samples, prompt):
            if hook not in truth:
                problems.append(f"{name}: {hook} is unknown to the harness")
                continue
            missing.discard(hook)
            found = distance(array, truth[hook], lengths[hook])
            if found.problem:
                problems.append(f"{name}: {hook}: {found.problem}")
            errors[hook].append((found.l2, theirs[hook]))
        problems += [f"{name}: {hook} is not in the trace" for hook in sorted(missing)]
    return report(model, errors, problems, len(samples_of))


def expected(exact, samples, prompt):
    """Every hook point in double precision, the log-mel among them."""
    truth = {}
    with torch.no_grad(), precise.arithmetic():
        mel = precise.log_mel(samples, exact.dims.n_mels, 3000)
        truth.update(reference.activations(exact, mel, prompt))
    # The reference rounds its logits to single precision.
    truth["decoder.logits"] = truth["decoder.ln"] @ exact.decoder.token_embedding.weight.detach().numpy().T
    return {"log_mel": mel.numpy(), **truth}


def traced(auscult, work, model, samples, prompt):
    """(hook point, array), a layer at a time: scores and patterns of all layers are a gigabyte."""
    recording = recordings.write(samples, work / "released.wav")
    layers = range(model.network.dims.n_audio_layer)
    groups = [["log_mel", "encoder.conv*", "encoder.positional", "encoder.ln_post"], ["decoder.**"]]
    groups += [[f"encoder.blocks.{layer}", f"encoder.blocks.{layer}.**"] for layer in layers]
    for globs in groups:
        tokens = prompt if globs[0].startswith("decoder") else []
        yield from auscult.trace(recording, model.path, globs, tokens, work / "released.safetensors")


def length(truth):
    flat = truth.ravel()
    return math.sqrt(flat @ flat)


def distance(array, truth, length):
    """A difference's `l2` and `problem`. Of gigabytes, so in few passes; what is masked or not finite takes the long way."""
    if array.shape == truth.shape and math.isfinite(length) and length > 0:
        delta = np.subtract(array, truth, dtype=np.float64).ravel()
        square = delta @ delta
        if math.isfinite(square):
            return Difference(math.sqrt(square) / length)
    return difference(array, truth)


def report(model, errors, problems, count):
    """Prints a row for every kind of hook point, its worst layer. -> whether all pass."""
    print(f"\n{model.name}: relative L2 from double precision, {count} recordings; root mean square, and the worst one")
    print(f"{'':<40}{'auscult':>20}{'PyTorch':>20}{'closer':>10}")
    rows, larger = defaultdict(list), []
    for hook, pairs in errors.items():
        ours, theirs = (math.sqrt(np.mean(np.square(column))) for column in zip(*pairs))
        rows[hookpoints.kind(hook)].append((ours, theirs, *np.max(pairs, axis=0)))
        if ours > ALIKE * theirs:
            larger.append((ours / theirs, hook, ours, theirs))
    order = ["log_mel", *dict.fromkeys(map(hookpoints.kind, hookpoints.every(model.network.dims)))]
    for kind in [kind for kind in order if kind in rows]:
        ours, theirs, worst, worst_theirs = np.max(rows[kind], axis=0)
        closer = sum(row[0] <= row[1] for row in rows[kind])
        print(f"{kind:<40}{f'{ours:.1e} {worst:.1e}':>20}{f'{theirs:.1e} {worst_theirs:.1e}':>20}"
              f"{f'{closer} of {len(rows[kind])}':>10}")
    for factor, hook, ours, theirs in sorted(larger, reverse=True):
        print(f"  LARGER {hook}: {ours:.2e}, PyTorch {theirs:.2e}: {factor:.2f} ×")
    for problem in problems[:20]:
        print(f"  FAILED {problem}")
    print(f"{model.name}: {len(errors)} hook points × {count} recordings: {len(errors) - len(larger)} no farther from double "
          f"precision than PyTorch (within {ALIKE - 1:.0%}), {len(problems)} that cannot be compared")
    return not problems and not larger
