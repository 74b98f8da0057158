"""Writes reference.json: what openai-whisper, with this repository's default model, writes down of the sounds in make.py.

    .venv/bin/python Tests/Fixtures/inputs/reference.py

The environment is that of `make parity`, with openai-whisper 20250625, and ffmpeg beside it.
"""
import json
import pathlib
import sys

import numpy as np

here = pathlib.Path(__file__).resolve().parent
root = here.parents[2]
sys.path[:0] = [str(root / "Tests" / "parity"), str(here)]

import checkpoints  # noqa: E402
import decoding  # noqa: E402
import make  # noqa: E402
import reference as network_of  # noqa: E402


def main():
    weights = checkpoints.default_model(root / "models" / "default")
    network = network_of.model(weights.dimensions, weights.state)
    sounds = {name: np.frombuffer(make.samples(name), "<i2").astype(np.float32) / 32768 for name in (make.ONE, make.TWO)}
    wanted = [(make.ONE,), (make.TWO,), (make.ONE, make.TWO)]
    texts = {}
    for names in wanted:
        samples = np.concatenate([sounds[name] for name in names])
        texts[" ".join(names)] = decoding.transcribed(weights, network, samples, {"language": "en"})["text"]
    (here / "reference.json").write_text(json.dumps({"openai_whisper": "20250625", "texts": texts}, indent=1) + "\n")


main()
