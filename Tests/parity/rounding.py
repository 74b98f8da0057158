"""How far every hook point of a released Whisper is from what double precision gives, beside how far PyTorch is.

Two implementations in single precision differ by rounding, and neither is the truth. So both are compared with
openai-whisper in double precision (precise.py): the log-mel as each makes it of the recording, and all behind it from auscult's
log-mel on, since an error of the input would hide those of the model. Hook points where auscult's error, over all recordings, is
larger than PyTorch's are listed with both. It is the aim that there are none; a fault of arithmetic is what is several times as far.
"""

import math
import time
from collections import defaultdict

import numpy as np
import torch

import hookpoints
import precise
import recordings
import reference
from comparison import Difference, difference
from kept import Store

#: Errors are sums of roundings, which fall differently in each recording: within this of PyTorch's is as large.
ALIKE = 1.02
#: So many times PyTorch's error is a fault. The order of a sum alone does less: one chain of 384 products, tiny's width, ends 1.5
#: times as far from the truth as the two of 192 that MKL makes of it, and no chain here is longer. A GELU within 3e-7 that had lost
#: the digits of its negative side was 1.8 to 3.2 times as far.
FAULT = 2.0


def check(auscult, work, model, samples_of, seconds=math.inf):
    """`model`: a released one (released.py). -> whether every hook point of every recording passes that there was time for."""
    exact, store = precise.model(model.network), Store(auscult, work / f"rounding-{model.name}.jsonl", model)
    end = time.monotonic() + seconds
    errors = defaultdict(list)  # hook point -> (ours, PyTorch's) for each recording
    problems, count = [], 0
    for name, samples in samples_of.items():
        samples = samples[:recordings.RATE * 30]
        found = store.get("rounding", samples)
        if found is None:
            if time.monotonic() > end:
                continue
            store.put("rounding", samples, **recording(auscult, work, model, exact, samples))
            found = store.get("rounding", samples)
        count += 1
        for hook, pair in found["errors"].items():
            errors[hook].append(pair)
        problems += [f"{name}: {problem}" for problem in found["problems"]]
        ours, other = np.max(list(found["errors"].values()), axis=0)
        print(f"{model.name}: {name}: the worst hook point is {ours:.1e} from double precision, PyTorch's {other:.1e}",
              flush=True)
    if count < len(samples_of):
        print(f"{model.name}: {len(samples_of) - count} recordings are left for another call")
    return not count or report(model, errors, problems, count)


def recording(auscult, work, model, exact, samples):
    """-> hook point -> (ours, PyTorch's), and what cannot be compared"""
    errors, problems = {}, []
    prompt, heard = model.prompt(samples), -(-len(samples) // 320)
    mel = dict(auscult.trace(
        recordings.write(samples, work / "released.wav"), model.path, ["log_mel"], [], work / "released.safetensors"))
    mel = mel["log_mel"]
    truth, theirs = expected(exact, samples, mel, prompt, heard), single(model.network, samples, mel, prompt, heard)
    missing = set(truth)
    for hook, array in traced(auscult, work, model, samples, prompt):
        if hook not in truth:
            problems.append(f"{hook} is unknown to the harness")
            continue
        missing.discard(hook)
        right, other = (cut(values[hook], array.shape) for values in (truth, theirs))
        found = distance(array, right)
        if found.problem or hook.startswith("encoder.blocks") and array.shape[axis(hook)] != heard:
            problems.append(f"{hook}: {found.problem or f'{array.shape} of {heard} frames'}")
        errors[hook] = (found.l2, distance(other, right).l2)
    problems += [f"{hook} is not in the trace" for hook in sorted(missing)]
    return {"errors": errors, "problems": problems}


def axis(hook):
    """Which one is of frames."""
    return 1 if hook.endswith((".scores", ".pattern")) else 0


def cut(array, shape):
    """Padding behind the recording is no data, and traces have none of it."""
    return array[tuple(slice(0, length) for length in shape)] if array.ndim == len(shape) else array


def kept(heard):
    """Values, and what keeps them: of the encoder's attention, which is most of all, only rows of frames of sound."""
    values = {}

    def keep(hook, array):
        is_large = hook.startswith("encoder.") and axis(hook) == 1
        values[hook] = (array[:, :heard] if is_large else array).copy()

    return values, keep


def single(network, samples, mel, prompt, heard):
    """By PyTorch in single precision: the recording's log-mel, and every hook point from `mel` on."""
    values, keep = kept(heard)
    reference.activations(network, mel, prompt, keep)
    return {"log_mel": reference.log_mel(torch.from_numpy(samples), network.dims.n_mels, 3000).numpy(), **values}


def expected(exact, samples, mel, prompt, heard):
    """The same in double precision."""
    truth, keep = kept(heard)
    with precise.arithmetic():
        reference.activations(exact, mel, prompt, keep)
    return {"log_mel": precise.log_mel(samples, exact.dims.n_mels, 3000).numpy(), **truth}


def traced(auscult, work, model, samples, prompt):
    """(hook point, array), a layer at a time: scores and patterns of all layers are a gigabyte."""
    recording = recordings.write(samples, work / "released.wav")
    layers = range(model.network.dims.n_audio_layer)
    groups = [["log_mel", "encoder.conv*", "encoder.positional", "encoder.ln_post"], ["decoder.**"]]
    groups += [[f"encoder.blocks.{layer}", f"encoder.blocks.{layer}.**"] for layer in layers]
    for globs in groups:
        tokens = prompt if globs[0].startswith("decoder") else []
        yield from auscult.trace(recording, model.path, globs, tokens, work / "released.safetensors", frames="valid")


def distance(array, truth):
    """A difference's `l2` and `problem`, in few passes; what is masked or not finite takes the long way."""
    if array.shape == truth.shape:
        with np.errstate(invalid="ignore"):  # −∞ less −∞, where attention is masked
            delta = np.subtract(array, truth, dtype=np.float64).ravel()
        flat = np.ascontiguousarray(truth, np.float64).ravel()
        square, length = delta @ delta, flat @ flat
        if math.isfinite(square) and math.isfinite(length) and length > 0:
            return Difference(math.sqrt(square / length))
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
    return not problems and all(factor <= FAULT for factor, *_ in larger)
