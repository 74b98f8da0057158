#!/usr/bin/env python3
"""Writes the golden fixtures beside this file: a micro checkpoint in three formats, and openai-whisper's activations.

    python Tests/Fixtures/golden/generate.py        (packages: Tests/parity/requirements.txt)

Made with openai-whisper 20250625, torch 2.15.0, numpy 2.4.6, safetensors 0.8.0; seeds are fixed, so running it again
gives the same weights and, to the last bits of a float32, the same activations.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file
from whisper.model import ModelDimensions

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "parity"))

import checkpoints  # noqa: E402
import layouts  # noqa: E402
import reference  # noqa: E402
import vocabularies  # noqa: E402

CONTEXT, VALID = 40, 23
#: openai-whisper gives encoder and decoder one width (the decoder's keys read the encoder's output), so what
#: differs between the two here is depth, heads and context.
VOCABULARY = vocabularies.micro(timestamps=CONTEXT + 1)
DIMENSIONS = ModelDimensions(n_mels=16, n_audio_ctx=CONTEXT, n_audio_state=16, n_audio_head=2, n_audio_layer=2,
                             n_vocab=len(VOCABULARY), n_text_ctx=24, n_text_state=16, n_text_head=4, n_text_layer=3)


def mel():
    """Deterministic, and within the range of a scaled log-mel: [-1.5, 1.5], silence after the valid frames."""
    band, frame = np.meshgrid(np.arange(DIMENSIONS.n_mels), np.arange(2 * CONTEXT), indexing="ij")
    values = np.sin(0.37 * band + 0.11 * frame) + 0.5 * np.cos(0.05 * band * frame)
    values[:, 2 * VALID:] = -0.9
    return values.astype(np.float32)


def main():
    torch.set_num_threads(1)
    weights = checkpoints.random_weights("micro", DIMENSIONS, VOCABULARY, seed=4)
    layouts.write_huggingface(HERE / "micro", DIMENSIONS, weights.state, VOCABULARY)
    layouts.write_openai(HERE / "micro.pt", DIMENSIONS, weights.state)
    layouts.write_ggml(HERE / "ggml-micro.bin", DIMENSIONS, weights.state, VOCABULARY)

    values = reference.activations(reference.model(DIMENSIONS, weights.state), mel(), weights.prompt)
    inputs = {"input.mel": mel(), "input.tokens": np.array(weights.prompt, np.float32)}
    save_file(inputs | values | reductions(values), HERE / "reference.safetensors",
              metadata={"valid_frames": str(VALID)})


def reductions(values):
    """Maximum and mean over the valid frames of the encoder's points, as `max:NAME` and `mean:NAME`."""
    reduced = {}
    for name, value in values.items():
        if not name.startswith("encoder."):
            continue
        axis = 1 if name.endswith((".scores", ".pattern")) else 0
        valid = value.take(range(2 * VALID if name == "encoder.conv1" else VALID), axis=axis)
        reduced[f"max:{name}"] = valid.max(axis=axis)
        reduced[f"mean:{name}"] = valid.mean(axis=axis, dtype=np.float64).astype(np.float32)
    return reduced


if __name__ == "__main__":
    main()
