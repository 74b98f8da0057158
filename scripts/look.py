#!/usr/bin/env python3
"""scripts/look.py TRACE MODEL: where the decoder listens while it writes each token, as a picture in the terminal.

TRACE is a safetensors file with `decoder.blocks.*.cross_attn.pattern`, MODEL the folder of its model: models/default, or one of
faster-whisper (CTranslate2), as `make released` brings, or of Hugging Face. A row is a token that is about to be written, a column a
slice of time; the darker, the more of the attention goes there, averaged over the model's alignment heads. Needs nothing but Python.
"""

import array
import base64
import json
import struct
import sys
from pathlib import Path

COLUMNS, SHADES = 64, " ·░▒▓█"


def read(path):
    """-> (name -> (shape, values), metadata)"""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header, data = json.loads(file.read(length)), file.read()
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        values = array.array("f", data[slice(*entry["data_offsets"])])
        if sys.byteorder == "big":
            values.byteswap()
        tensors[name] = entry["shape"], values
    return tensors, metadata


def read_vocabulary(model):
    """Token id -> text, of ordinary tokens."""
    path = model / "vocab.tiktoken"
    if path.exists():
        pairs = (line.split() for line in path.read_text().splitlines() if line)
        return {int(rank): base64.b64decode(token).decode(errors="replace") for token, rank in pairs}
    # A token a line, or Hugging Face's table; GPT-2 writes a character for each byte, its own where there is a visible one.
    own = [*range(33, 127), *range(161, 173), *range(174, 256)]
    byte = {chr(value): value for value in own}
    byte.update({chr(256 + place): value for place, value in enumerate(sorted(set(range(256)) - set(own)))})
    if (model / "vocabulary.txt").exists():
        tokens = dict(enumerate((model / "vocabulary.txt").read_text(encoding="utf-8").split("\n")))
    else:
        table = json.loads((model / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
        tokens = {rank: token for token, rank in table.items()}
    return {rank: bytes(byte[character] for character in token).decode(errors="replace")
            for rank, token in tokens.items() if token and not token.startswith("<|") and set(token) <= set(byte)}


def read_heads(model):
    """[(layer, head)] that follow the audio."""
    for name in ("generation_config.json", "config.json"):
        path = model / name
        heads = json.loads(path.read_text()).get("alignment_heads") if path.exists() else None
        if heads:
            return heads
    raise SystemExit(f"{model} does not say which heads follow the audio")


def pattern(tensors, layer):
    """[heads, tokens, keys] of the recording's first window, and the values."""
    name = f"decoder.blocks.{layer}.cross_attn.pattern"
    return tensors[name] if name in tensors else tensors[f"{name}@window1"]


def attention(tensors, heads, token, frames):
    """One token's attention in each of COLUMNS slices of the first `frames` frames, the mean of `heads`."""
    row = [0.0] * COLUMNS
    for layer, head in heads:
        (_, tokens, keys), values = pattern(tensors, layer)
        start = (head * tokens + token) * keys
        for frame in range(frames):
            row[frame * COLUMNS // frames] += values[start + frame] / len(heads)
    return row


def main(trace, model):
    tensors, metadata = read(trace)
    vocabulary, heads = read_vocabulary(Path(model)), read_heads(Path(model))
    tokens = json.loads(metadata["tokens"])[0]
    keys = pattern(tensors, heads[0][0])[0][2]
    frames = max(1, min(keys, int(float(metadata["duration"]) * 50)))
    for position, written in enumerate(tokens[1:]):  # position i reads token i and writes the one after it
        if written in vocabulary:
            row = attention(tensors, heads, position, frames)
            peak = max(row) or 1
            print(f"{vocabulary[written].strip():>12} │{''.join(SHADES[min(5, int(6 * x / peak))] for x in row)}│")
    print(f"{'0 s':>17}{f'{frames / 50:.1f} s':>{COLUMNS - 3}}")


if __name__ == "__main__":
    main(*sys.argv[1:])
