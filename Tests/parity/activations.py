"""Every hook point against openai-whisper, for each checkpoint and each file format.

Prints, for each checkpoint, the worst layer of every kind of hook point; fails where one exceeds the bounds of
comparison.py, is missing on either side, or is listed by the engine and not here, and where files that hold the same
values (the three formats, and for the default model also its own float16 folder and the program's copy of it) do
not give the same bits.
"""

import zlib
from collections import defaultdict
from pathlib import Path

import torch

import checkpoints
import hookpoints
import layouts
import recordings
import reference
from comparison import RELATIVE_L2, RELATIVE_MAX, Difference, difference


def check(auscult, work, default, only=()):
    """-> whether everything passed; None where nothing was compared. `default`: the Hugging Face folder of the default model."""
    name, samples = recordings.speech()
    print(f"Activations on {name} ({len(samples) / recordings.RATE:.1f} s); "
          f"bounds: relative L2 {RELATIVE_L2:g}, max |Δ| {RELATIVE_MAX:g} × max |reference|")
    builders = {"tiny": checkpoints.tiny, "turbo": checkpoints.turbo, "english": checkpoints.english,
                "default": lambda: checkpoints.default_model(default)}
    return checkpoints.passes(builders, only, lambda weights: check_checkpoint(auscult, work, weights, samples))


def check_checkpoint(auscult, work, weights, samples):
    dimensions, columns, bits = weights.dimensions, {}, []
    samples = samples[:320 * dimensions.n_audio_ctx]  # one window
    recording = recordings.write(samples, work / "speech.wav")
    exact = expected(weights.dimensions, weights.state, weights.prompt, samples)
    for label, path in written(work, weights):
        columns[label], checksums = compare(auscult, path, recording, weights, exact)
        bits.append(checksums)
    state = layouts.half_rounded(weights.state)
    path = work / f"ggml-{weights.name}-f16.bin"
    layouts.write_ggml(path, dimensions, state, weights.vocabulary, half=True)
    exact = expected(dimensions, state, weights.prompt, samples)
    columns["ggml f16"], _ = compare(auscult, path, recording, weights, exact)
    path.unlink()
    passed = show(weights, columns)
    same = all(checksums == bits[0] for checksums in bits)
    print(f"{', '.join(list(columns)[:-1])} give {'the same bits' if same else 'DIFFERENT bits'}")
    return passed and same


def expected(dimensions, state, prompt, samples):
    mel = reference.log_mel(torch.from_numpy(samples), dimensions.n_mels, 2 * dimensions.n_audio_ctx)
    return reference.activations(reference.model(dimensions, state), mel, prompt)


def written(work, weights):
    """The same weights in the three formats, one after the other: (label, path); None is the embedded model."""
    dimensions, state, vocabulary = weights.dimensions, weights.state, weights.vocabulary
    if weights.source:
        yield "models/default", weights.source
        yield "embedded", None
    folder = work / f"{weights.name}-hf"
    layouts.write_huggingface(folder, dimensions, state, vocabulary, fast=weights.name != "english")
    yield "hugging face", folder
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()

    path = work / f"{weights.name}.pt"
    layouts.write_openai(path, dimensions, state)
    yield "openai", path
    path.unlink()

    path = work / f"ggml-{weights.name}.bin"
    layouts.write_ggml(path, dimensions, state, vocabulary)
    yield "ggml f32", path
    path.unlink()


def compare(auscult, path, recording, weights, exact):
    """Hook point -> Difference, and hook point -> checksum of its bits.

    One trace a layer: an encoder layer's scores and pattern alone can be 100 MB.
    """
    dimensions, found, checksums = weights.dimensions, {}, {}
    listed, every = auscult.hooks(path), hookpoints.every(dimensions)
    for name in sorted(set(listed) ^ set(every)):
        found[name] = Difference(problem="not in the engine's list" if name in every else "unknown to the harness")
    groups = [["encoder.conv*", "encoder.positional", "encoder.ln_post"], ["decoder.**"]]
    groups += [[f"encoder.blocks.{layer}", f"encoder.blocks.{layer}.**"] for layer in range(dimensions.n_audio_layer)]
    out = Path(recording).with_suffix(".safetensors")
    for globs in groups:
        prompt = weights.prompt if globs[0].startswith("decoder") else []
        for name, actual in auscult.trace(recording, path, globs, prompt, out):
            known = name in exact
            found[name] = difference(actual, exact[name]) if known else Difference(problem="unknown to the harness")
            checksums[name] = zlib.crc32(actual.tobytes())
    for name in every:
        found.setdefault(name, Difference(problem="not in the trace"))
    return found, checksums


def show(weights, columns):
    """The table of one checkpoint; a row is the worst of all layers. -> whether everything passed."""
    sizes = vars(weights.dimensions)
    print(f"\n{weights.name}: " + ", ".join(f"{name} {value}" for name, value in sizes.items()))
    rows = defaultdict(lambda: defaultdict(list))
    for label, found in columns.items():
        for name, value in found.items():
            rows[hookpoints.kind(name)][label].append(value)
    order = list(dict.fromkeys(map(hookpoints.kind, hookpoints.every(weights.dimensions))))
    print(f"{'worst relative L2, max |Δ|':<40}" + "".join(f"{label:>20}" for label in columns))
    for kind in order + [kind for kind in rows if kind not in order]:
        print(f"{kind:<40}" + "".join(f"{cell(rows[kind][label]):>20}" for label in columns))
    failures = [(label, name, value) for label, found in columns.items()
                for name, value in found.items() if not value.passes]
    for label, name, value in failures[:20]:
        print(f"  FAILED {label}: {name}: {value.problem or f'L2 {value.l2:.1e}, max {value.max:.1e}'}")
    points = len(hookpoints.every(weights.dimensions))
    print(f"{points} hook points × {len(columns)} files: {len(failures)} failures" if failures
          else f"{points} hook points × {len(columns)} files: all within bounds")
    return not failures


def cell(values):
    if not values:
        return "–"
    if any(value.problem for value in values):
        return "✗"
    mark = "" if all(value.passes for value in values) else " ✗"
    return f"{max(value.l2 for value in values):.1e} {max(value.max for value in values):.1e}{mark}"
