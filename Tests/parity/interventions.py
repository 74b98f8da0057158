"""Interventions of every kind against hooks in PyTorch on openai-whisper: a random checkpoint, the default model, and tiny.en where it is
released.

Each is one trace of auscult under one text, and one pass of the reference whose modules are changed by hooks; compared are the place that
was changed, the encoder's output and the logits; and, of all but windows, edges and whole resamples, the gradient of the transcript's log-probability, with
respect to the first place and to the log-mel, by PyTorch's autograd through the same hooks.

What an intervention leaves of a trained model can be so bent that single precision itself is far from the gradient, whoever computes it. So gradients
are compared with those in double precision (precise.py), and PyTorch's in single precision beside them, all from auscult's log-mel on: a
gradient passes that is within the bound of the other gradients, or no more than FAULT times as far as PyTorch's.
"""

import contextlib
from types import MethodType

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file
from whisper.model import disable_sdpa

import autograd
import checkpoints
import features
import gradients
import layouts
import precise
import recordings
import reference
from comparison import RELATIVE_L2, Difference, difference
from rounding import FAULT


def check(auscult, work, default, only=()):
    """-> whether everything passed; None where nothing was compared."""
    name, samples = recordings.speech()
    other = recordings.read(recordings.demonstration()[0])
    print(f"Interventions on {name}, beside {recordings.demonstration()[0].name}; bound: relative L2 {RELATIVE_L2:g}")
    builders = checkpoints.builders(default, random=["tiny"])
    builders.pop("base", None)
    return checkpoints.passes(builders, only, lambda weights: check_checkpoint(auscult, work, weights, samples, other))


def check_checkpoint(auscult, work, weights, samples, other):
    dimensions = weights.dimensions
    samples = samples[:320 * dimensions.n_audio_ctx]  # one window
    folder = weights.source
    if folder is None:
        folder = work / f"{weights.name}-hf"
        layouts.write_huggingface(folder, dimensions, weights.state, weights.vocabulary)
    data = work / "pair"
    data.mkdir(exist_ok=True)
    heard, beside = recordings.write(samples, data / "a.wav"), recordings.write(other, data / "b.wav")
    network = reference.model(dimensions, weights.state)
    exact = precise.model(network)
    mels = [reference.log_mel(torch.from_numpy(one), dimensions.n_mels, 2 * dimensions.n_audio_ctx)
            for one in (samples, other, np.zeros(1, np.float32))]
    runs = [reference.activations(network, mel, weights.prompt) for mel in mels]
    valid = [min(-(-len(one) // 320), dimensions.n_audio_ctx) for one in (samples, other)]
    print(f"\n{weights.name}")
    passed = True
    for text, places, changes in kinds(network, runs, valid, work, data, beside):
        with changed(network, changes), torch.no_grad(), disable_sdpa():
            expected = reference.activations(network, mels[0], weights.prompt)
        found = dict(auscult.trace(heard, folder, places, weights.prompt, work / "i.safetensors", "--intervene", text))
        worst = {place: difference(found[place], expected[place]) for place in places}
        moved = max(np.abs(expected[place] - runs[0][place]).max() for place in places if np.isfinite(expected[place]).all())
        good = all(one.passes for one in worst.values()) and moved > 0
        figures = [f"{place} {one.problem or f'{one.l2:.1e}'}" for place, one in worst.items()]
        if not any(word in text for word in ("@to ", " window ", " resample ")):
            slopes = check_gradients(auscult, work, weights, (network, exact), (heard, folder), text, places[0], changes)
            good &= all(is_near(ours, theirs) for ours, theirs in slopes.values())
            figures += [f"{place}@grad {ours.problem or f'{ours.l2:.1e} (PyTorch {theirs.l2:.1e})'}"
                        for place, (ours, theirs) in slopes.items()]
        passed &= good
        print(f"  {'passed' if good else 'FAILED'} {text.replace(str(work), '…'):<76} {', '.join(figures)}")
    return passed


def is_near(ours, theirs):
    """Whether a gradient is as near to double precision as single precision can be asked to be."""
    return not ours.problem and ours.l2 <= max(gradients.RELATIVE_L2, FAULT * theirs.l2)


def check_gradients(auscult, work, weights, networks, heard, text, place, changes):
    """Place -> how far the engine's gradient and PyTorch's in single precision are from that in double precision."""
    places = ["log_mel", place]
    prompt = next(index for index, token in enumerate(weights.prompt) if token < len(weights.vocabulary.ranks))
    objective = autograd.log_probability(weights.prompt, prompt)
    found = dict(auscult.trace(*heard, places, weights.prompt, work / "g.safetensors", "--intervene", text, "--objective", "transcript"))
    single, exact = (slopes(network, found["log_mel"], weights.prompt, objective, changes) for network in networks)
    distances = {}
    for name in places:
        ours, theirs, truth = found.get(f"{name}@grad"), single.get(name), exact.get(name)
        if truth is None or not truth.any():
            # What is put in everywhere leaves no way back.
            stray = ours is not None and ours.any()
            distances[name] = Difference(problem="a gradient where there is none" if stray else ""), Difference()
        elif ours is None:
            distances[name] = Difference(problem="has no gradient in the trace"), Difference()
        else:
            distances[name] = gradients.measured(ours, truth), gradients.measured(theirs, truth)
    return distances


def slopes(network, mel, tokens, objective, changes):
    """The gradients at all hook points under the changes, in the network's precision."""
    is_double = network.decoder.token_embedding.weight.dtype == torch.float64
    with precise.arithmetic() if is_double else contextlib.nullcontext(), changed(network, changes):
        return autograd.gradients(network, mel, tokens, objective)[1]


def kinds(network, runs, valid, work, data, beside):
    """Text, places to compare, and what the reference does: module name -> change of its output, "… in" of its input."""
    mine, theirs, padding = runs
    heads = network.encoder.blocks[0].attn.n_head
    mlp, out, logits = "encoder.blocks.1.mlp.1", "encoder.ln_post", "decoder.logits"

    def rows(value, first=0, last=None, columns=slice(None)):
        def change(x):
            # The way back reads what a change was made of, so that is not what is written over.
            old, x = x[0, first:last, columns].clone(), x.clone()
            x[0, first:last, columns] = value(old) if callable(value) else torch.as_tensor(value, dtype=x.dtype)
            return x
        return change

    yield f"{mlp} @neurons 5,7 @frames 50:100 = zero", [mlp, out, logits], {mlp: rows(0, 50, 100, [5, 7])}
    yield f"{mlp} = scale -0.5", [mlp, out, logits], {mlp: rows(lambda x: -0.5 * x)}
    yield f"{mlp} = mean", [mlp, out, logits], {mlp: rows(lambda x: x.mean(0, keepdim=True).expand_as(x))}
    yield f"{mlp} @neurons 0-63 = clamp -0.05:0.3", [mlp, out, logits], {mlp: rows(lambda x: x.clamp(-0.05, 0.3), columns=slice(64))}
    yield f"{mlp} @neurons 17 = clamp 2.5", [mlp, out, logits], {mlp: rows(2.5, columns=17)}

    def quantiles(x):
        low, high = (torch.quantile(x.double(), q, dim=0).to(x.dtype) for q in (0.1, 0.9))
        return x.maximum(low).minimum(high)

    yield f"{mlp} @neurons 0-63 = clamp q0.1:q0.9", [mlp, out, logits], {mlp: rows(quantiles, columns=slice(64))}
    pooled = np.concatenate([run[mlp][:count] for run, count in zip((mine, theirs), valid)])
    top = np.quantile(pooled[:, :64].astype(np.float64), 0.95, axis=0).astype(np.float32)
    yield (f"{mlp} @neurons 0-63 = clamp :q0.95 over {data}", [mlp, out, logits],
           {mlp: rows(lambda x: x.minimum(torch.from_numpy(top)), columns=slice(64))})
    yield f"{mlp} = mean over {data}", [mlp, out, logits], {mlp: rows(pooled.mean(0, dtype=np.float64).astype(np.float32))}

    generator = np.random.default_rng(4)
    direction = generator.standard_normal(mine[out].shape[1]).astype(np.float32)
    save_file({"v": direction}, work / "v.safetensors")
    block = "encoder.blocks.1"
    yield f"{block} @frames 20:400 = add {work / 'v.safetensors'} 0.7", [block, out, logits], {
        block: rows(lambda x: x + 0.7 * torch.from_numpy(direction), 20, 400)}
    yield f"{block} @frames 20:400 = set {work / 'v.safetensors'}", [block, out, logits], {block: rows(direction, 20, 400)}
    drawn = noise(f"{mlp}", 7, 40 * 3).reshape(40, 3) * np.float32(0.3)
    yield (f"{mlp} @neurons 2-4 @frames 10:50 = noise 0.3 seed 7", [mlp, out, logits],
           {mlp: rows(lambda x: x + torch.from_numpy(drawn), 10, 50, slice(2, 5))})

    # Other recordings.
    yield f"{block} @frames 30:90 = patch {beside}", [block, out, logits], {block: rows(theirs[block][30:90], 30, 90)}
    yield (f"{block} @frames 30:38 = patch {beside} @frames 60:64", [block, out, logits],
           {block: rows(np.repeat(theirs[block][60:64], 2, 0), 30, 38)})
    save_file({block: theirs[block][:200].copy(), "encoder.blocks.0": theirs["encoder.blocks.0"][:200].copy()},
              work / "run.safetensors")
    yield f"{block} = patch {work / 'run.safetensors'}", [block, out, logits], {block: rows(theirs[block][:200], 0, 200)}
    yield f"{out} = resample {data} seed 3", [out, logits], {out: rows(theirs[out])}
    yield f"{out} @frames 0:50 substitute-padding", [out, logits], {out: rows(padding[out][:50], 0, 50)}
    inner = "decoder.blocks.0.mlp.1"
    yield f"{inner} @tokens 2:5 = patch {beside}", [inner, logits], {inner: rows(theirs[inner][2:5], 2, 5)}
    cross = "decoder.blocks.1.cross_attn"
    yield f"{cross} = patch {beside}", [cross, logits], {f"{cross}.out": rows(theirs[cross])}

    # Heads.
    def head(numbers, value=0):
        def change(z):
            z = z.clone().view(*z.shape[:2], heads, -1)
            z[:, :, numbers] *= value
            return z.flatten(2)
        return change

    every = {f"encoder.blocks.{layer}.attn.out in": head([0, 2]) for layer in range(len(network.encoder.blocks))}
    yield "encoder.blocks.*.attn.z @heads 0,2 = zero", ["encoder.blocks.0.attn.z", out, logits], every
    yield "encoder.blocks.0.attn.z @heads 1 @neurons 3-9 = scale 2", ["encoder.blocks.0.attn.z", out, logits], {
        "encoder.blocks.0.attn.out in": lambda z: columns(z, heads, 1, slice(3, 10), 2)}
    scores = {f"encoder.blocks.{layer}.attn scores": window(25) for layer in range(len(network.encoder.blocks))}
    yield "encoder.blocks.*.attn window 25", ["encoder.blocks.0.attn.pattern", out, logits], scores

    # Dictionaries.
    features.dictionary(work, [mine[block]])
    folder = work / "dictionary"
    yield f"{block} splice {folder}", [block, out, logits], {block: rows(lambda x: codes(x, folder)[1])}

    def latent(x):
        z, _, decoder = codes(x, folder)
        return x + (z[:, 3:4].clamp(0, 0.5) - z[:, 3:4]) * decoder[3]

    yield f"{block} latent {folder} 3 = clamp 0:0.5", [block, out, logits], {block: rows(latent)}

    # Edges.
    yield ("encoder.blocks.0.attn.z @heads 1 @to encoder.blocks.1.attn.q:2 = zero",
           ["encoder.blocks.1.attn.q", "encoder.blocks.1.attn.k", out, logits],
           edge(network, mine, "encoder", 0, "attn", 1, 1, "attn.query", 2))
    yield ("decoder.blocks.0.cross_attn.z @heads 0 @to decoder.blocks.1.mlp.0 = zero",
           ["decoder.blocks.1.mlp.0", "decoder.blocks.1.cross_attn.q", logits],
           edge(network, mine, "decoder", 0, "cross_attn", 0, 1, "mlp.0", None))


def columns(z, heads, head, some, factor):
    z = z.clone().view(*z.shape[:2], heads, -1)
    z[:, :, head, some] *= factor
    return z.flatten(2)


def window(k):
    def change(scores):
        positions = torch.arange(scores.shape[-1])
        return scores.masked_fill((positions[:, None] - positions).abs() > k, -torch.inf)
    return change


def edge(network, values, stack, layer, attention, head, to, reader, reading):
    """The reader's output, of the stream less what the head gave: for one of its heads, or all that it has."""
    block, after = getattr(network, stack).blocks[layer], getattr(network, stack).blocks[to]
    name = f"{stack}.blocks.{to}"
    z = torch.from_numpy(values[f"{stack}.blocks.{layer}.{attention}.z"])
    width = z.shape[-1]
    weight = getattr(block, attention).out.weight[:, head * width:(head + 1) * width]
    part = z[:, head] @ weight.T
    stream, norm = (("resid_pre", after.attn_ln) if reader.startswith("attn") else
                    ("resid_cross" if stack == "decoder" else "resid_mid", after.mlp_ln))
    x = torch.from_numpy(values[f"{name}.{stream}"]) - part
    module = network.get_submodule(f"{name}.{reader}")
    y = module(norm(x)).detach()

    def change(value):
        value = value.clone()
        some = slice(None) if reading is None else slice(reading * width, (reading + 1) * width)
        value[0, :, some] = y[:, some]
        return value
    return {f"{name}.{reader}": change}


def codes(x, folder):
    """A dictionary's codes of rows, its reconstruction, and its directions."""
    from safetensors.torch import load_file
    weights = {name: value.to(x.dtype) for name, value in load_file(folder / "sae_weights.safetensors").items()}
    z = ((x - weights["b_dec"]) @ weights["W_enc"] + weights["b_enc"]).relu()
    return z, z @ weights["W_dec"] + weights["b_dec"], weights["W_dec"]


def noise(place, seed, count):
    """Normal deviates as auscult draws them at a place: Box and Muller's over SplitMix64."""
    mask = (1 << 64) - 1
    state = seed
    for byte in place.encode():
        state = ((state ^ byte) * 0x100000001B3) & mask

    def uniform():
        nonlocal state
        state = (state + 0x9E3779B97F4A7C15) & mask
        z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        return ((z ^ (z >> 31)) >> 11) * 2.0**-53

    def normal():
        radius = np.sqrt(-2 * np.log(max(uniform(), 1e-300)))
        return radius * np.cos(2 * np.pi * uniform())

    return np.array([normal() for _ in range(count)], np.float32)


@contextlib.contextmanager
def changed(network, changes):
    """While it lasts, modules' outputs, inputs ("NAME in") and scores ("NAME scores") are what the changes make of them."""
    handles, attentions = [], []
    for place, change in changes.items():
        name, _, what = place.partition(" ")
        module = network.get_submodule(name)
        if what == "in":
            handles.append(module.register_forward_pre_hook(lambda _, inputs, change=change: (change(inputs[0]), *inputs[1:])))
        elif what == "scores":
            module.qkv_attention = MethodType(attention(change), module)
            attentions.append(module)
        else:
            handles.append(module.register_forward_hook(lambda _, __, value, change=change: change(value)))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
        for module in attentions:
            del module.qkv_attention


def attention(change):
    def qkv_attention(self, q, k, v, mask=None):
        scale = (q.shape[-1] // self.n_head) ** -0.25
        q, k, v = (x.view(*x.shape[:2], self.n_head, -1).permute(0, 2, 1, 3) for x in (q, k, v))
        scores = change((q * scale) @ (k * scale).transpose(-1, -2))
        return (F.softmax(scores, dim=-1) @ v).permute(0, 2, 1, 3).flatten(start_dim=2), scores.detach()
    return qkv_attention
