#!/usr/bin/env python3
"""scripts/look.py TRACE VOCABULARY: where the decoder listens while it writes each token, as a picture in the terminal.

TRACE is a safetensors file with `decoder.blocks.*.cross_attn.pattern`, VOCABULARY the model's .tiktoken. A row is a
token that was read, a column a slice of time; the darker, the more of the attention goes there, averaged over the
heads of the last block. Needs nothing but Python.
"""

import array
import base64
import json
import struct
import sys

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


def read_vocabulary(path):
    """Token id -> text."""
    with open(path) as file:
        pairs = (line.split() for line in file if line.strip())
        return {int(rank): base64.b64decode(token).decode(errors="replace") for token, rank in pairs}


def rows(shape, values, frames):
    """[heads, tokens, keys] -> per token, the mean over heads in each of COLUMNS slices of the first `frames` keys."""
    heads, tokens, keys = shape
    for token in range(tokens):
        row = [0.0] * COLUMNS
        for head in range(heads):
            start = (head * tokens + token) * keys
            for frame in range(frames):
                row[frame * COLUMNS // frames] += values[start + frame] / heads
        yield row


def main(path, vocabulary_path):
    tensors, metadata = read(path)
    vocabulary = read_vocabulary(vocabulary_path)
    shape, values = tensors[max(name for name in tensors if name.endswith("cross_attn.pattern"))]
    seconds = float(metadata["duration"])
    tokens = json.loads(metadata["tokens"])[0]
    frames = max(1, min(shape[2], round(seconds * 50)))
    for token, row in zip(tokens, rows(shape, values, frames)):
        if token in vocabulary:  # the start tokens listen to nothing in particular
            peak = max(row) or 1
            print(f"{vocabulary[token].strip():>12} │{''.join(SHADES[min(5, int(6 * value / peak))] for value in row)}│")
    print(" " * 14 + "0 s" + f"{seconds:.1f} s".rjust(COLUMNS - 3))


if __name__ == "__main__":
    main(*sys.argv[1:])
