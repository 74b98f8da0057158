"""`auscult run patching` against hooks in PyTorch: one pair of the default model, every place of which is exchanged on both sides."""

import json

import numpy as np
import torch
from whisper.model import disable_sdpa

import checkpoints
import engine
import recordings
import reference
from interventions import changed

#: Of the difference between both recordings' logit differences.
BOUND = 1e-3
STEP = 25


def check(auscult, work, default):
    """-> whether everything passed."""
    weights = checkpoints.default_model(default)
    network = reference.model(weights.dimensions, weights.state)
    folder = work.resolve() / "patching"
    folder.mkdir(exist_ok=True)
    clips = [clip for clip in recordings.demonstration() if clip.name.startswith("en-")][:2]
    samples = [recordings.read(clip) for clip in clips]
    manifest = folder / "pairs.jsonl"
    rows = [{"path": str(recordings.write(one, folder / f"{clip.stem}.wav"))} for clip, one in zip(clips, samples)]
    manifest.write_text("\n".join(map(json.dumps, rows)))
    found = auscult.analysis("patching", default, manifest, "-p", "answers=heard", "-p", f"frames={STEP}", "-p", "least=0",
                             "-p", "paths=0", "-p", "steering=false")
    pair = engine.cells(found["pairs"])[0]
    tokens = [int(token) for token in pair["tokens read"].split()]
    answer, other = int(pair["answer token"]), int(pair["other token"])
    print(f"Patching {clips[1].name} with {clips[0].name}: \"{pair['answer']}\" against \"{pair['other']}\"")

    dimensions = weights.dimensions
    mels = [reference.log_mel(torch.from_numpy(one), dimensions.n_mels, 2 * dimensions.n_audio_ctx) for one in samples]
    values = [reference.activations(network, mel, tokens) for mel in mels]
    clean, corrupted = (float(one["decoder.logits"][-1, answer] - one["decoder.logits"][-1, other]) for one in values)
    frames = min(-(-len(one) // 320) for one in samples)
    encoder, decoder = len(network.encoder.blocks), len(network.decoder.blocks)

    def recovered(changes):
        with changed(network, changes), torch.no_grad(), disable_sdpa():
            logits = network.decoder(torch.tensor([tokens]), network.encoder(torch.as_tensor(mels[1])[None]))[0, -1]
        return (float(logits[answer] - logits[other]) - corrupted) / (clean - corrupted)

    def rows_of(name, first, last):
        def change(x):
            x = x.clone()
            x[0, first:last] = torch.from_numpy(values[0][name][first:last])
            return x
        return change

    def head_of(name, number, last):
        def change(z):
            z = z.clone()
            there = torch.from_numpy(values[0][name])
            width = there.shape[-1]
            z[0, :last, number * width:(number + 1) * width] = there[:last, number]
            return z
        return change

    windows = range(0, frames, STEP)
    stream = [["encoder.blocks.0 in", "encoder.positional"]] + [[f"encoder.blocks.{n}"] * 2 for n in range(encoder)]
    expected = {
        "frames": [[recovered({place: rows_of(name, first, min(first + STEP, frames))}) for first in windows] for place, name in stream],
        "tokens": [[recovered({f"decoder.blocks.{n}": rows_of(f"decoder.blocks.{n}", token, token + 1)}) for token in range(len(tokens))]
                   for n in range(decoder)],
        "encoder_heads": [[recovered({f"encoder.blocks.{n}.attn.out in": head_of(f"encoder.blocks.{n}.attn.z", head, frames)})
                           for head in range(network.encoder.blocks[0].attn.n_head)] for n in range(encoder)],
    }
    for output, attention in (("decoder_heads", "attn"), ("cross_heads", "cross_attn")):
        expected[output] = [[recovered({f"decoder.blocks.{n}.{attention}.out in": head_of(f"decoder.blocks.{n}.{attention}.z", head, None)})
                             for head in range(network.decoder.blocks[0].attn.n_head)] for n in range(decoder)]
    passed = close("difference of the clean recording", pair["clean difference"], clean, abs(clean - corrupted))
    passed &= close("difference of the other", pair["corrupted difference"], corrupted, abs(clean - corrupted))
    for output, values_there in expected.items():
        passed &= close(output, np.array(found[output]["values"], np.float64), np.array(values_there), 1)
    return passed


def close(name, actual, expected, scale):
    if np.shape(actual) != np.shape(expected):
        print(f"  FAILED {name}: shape {np.shape(actual)}, expected {np.shape(expected)}")
        return False
    worst = float(np.max(np.abs(np.asarray(actual, np.float64) - expected))) / scale
    print(f"  {'passed' if worst <= BOUND else 'FAILED'} {name:<36} {np.size(expected)} figures, worst {worst:.1e}; largest {np.max(np.abs(expected)):.3f}")
    return worst <= BOUND
