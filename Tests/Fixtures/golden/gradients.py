#!/usr/bin/env python3
"""Writes gradients.safetensors beside this file: PyTorch's gradients of the micro checkpoint that generate.py wrote.

    python Tests/Fixtures/golden/gradients.py        (packages: Tests/parity/requirements.txt)

Tensors are called OBJECTIVE/HOOK, and value/OBJECTIVE.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "parity")]

import autograd  # noqa: E402
import checkpoints  # noqa: E402
import reference  # noqa: E402
from generate import DIMENSIONS, VOCABULARY, mel  # noqa: E402


def main():
    torch.set_num_threads(1)
    weights = checkpoints.random_weights("micro", DIMENSIONS, VOCABULARY, seed=4)
    network, tokens = reference.model(DIMENSIONS, weights.state), weights.prompt
    objectives = {"encoder-sum": autograd.encoder_sum,
                  "text": autograd.log_probability(tokens, 3),
                  "logit": autograd.logit(7, 11, 4),
                  "neuron": autograd.element("encoder.blocks.1.mlp.1", 5, (4, 20))}
    arrays = {}
    for name, objective in objectives.items():
        value, found = autograd.gradients(network, mel(), tokens, objective)
        arrays[f"value/{name}"] = np.array([value], np.float32)
        arrays |= {f"{name}/{hook}": value.astype(np.float32) for hook, value in found.items()}
    save_file(arrays, HERE / "gradients.safetensors")


if __name__ == "__main__":
    main()
