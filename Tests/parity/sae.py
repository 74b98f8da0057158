#!/usr/bin/env python3
"""A sparse dictionary of auscult's beside one that PyTorch trains on the same activations.

    Tests/parity/sae.py DICTIONARY MANIFEST [--auscult-judged 10] [--steps 1165] [--batch 512] [--k 32] [--seeds 3]

DICTIONARY is what `auscult run sae MANIFEST -p hook=encoder.blocks.N -p out=DICTIONARY` wrote. openai-whisper's encoder
with the default model's weights gives the activations; the recordings that the plugin kept from training (every
second of the first ones) judge both. BatchTopK (Bussmann et al. 2024): the k·batch largest codes of a batch are kept; Adam; columns of unit
length; latents that have been silent learn the residual. The printed spread is over PyTorch's seeds.
"""

import argparse
import json
import re
import time
from pathlib import Path

import numpy as np
import soundfile
import torch
import torch.nn.functional as F
import whisper
from safetensors.torch import load_file
from whisper.model import Whisper

import checkpoints

ROOT = Path(__file__).resolve().parents[2]


@torch.inference_mode()
def activations(paths, layer):
    """[valid positions, state] of each recording, after block `layer`; the context is the model's own."""
    weights = checkpoints.default_model(ROOT / "models" / "default")
    model = Whisper(weights.dimensions)
    model.load_state_dict({name: torch.from_numpy(value) for name, value in weights.state.items()}, strict=False)
    found, encoder = [], model.eval().encoder
    encoder.blocks[layer].register_forward_hook(lambda _, __, output: found.append(output[0]))
    for path in paths:
        samples, _ = soundfile.read(path, dtype="float32")
        window = 320 * weights.dimensions.n_audio_ctx
        mel = whisper.log_mel_spectrogram(whisper.pad_or_trim(samples, window), weights.dimensions.n_mels)
        encoder(mel[None])
        found[-1] = found[-1][:-(-len(samples) // 320)].clone()
    return found


class BatchTopK:
    def __init__(self, data, latents, k, seed, rate=1e-3):
        self.generator = torch.Generator().manual_seed(seed)
        self.k, width = k, data.shape[1]
        self.centre, self.unit = data.mean(0), (data - data.mean(0)).norm(dim=1).mean() / width**0.5
        decoder = F.normalize(torch.randn(latents, width, generator=self.generator), dim=1)
        self.parameters = [p.requires_grad_() for p in (decoder.T.clone(), torch.zeros(latents), decoder, torch.zeros(width))]
        self.optimiser = torch.optim.Adam(self.parameters, lr=rate)
        self.silent = torch.zeros(latents)
        self.threshold = None

    def codes(self, x, count=None):
        encoder, bias, _, ground = self.parameters
        z = F.relu((x - ground) @ encoder + bias)
        if count is None:
            return torch.where(z > self.threshold, z, 0), z
        return torch.where(z >= z.flatten().topk(count).values[-1], z, 0), z

    def step(self, x):
        x = (x - self.centre) / self.unit
        _, _, decoder, ground = self.parameters
        z, before = self.codes(x, self.k * len(x))
        error = x - (z @ decoder + ground)
        loss = error.pow(2).sum(1).mean()
        dead = self.silent > 20_000
        if dead.any():
            kept = torch.where(dead, before, 0).topk(min(self.k, int(dead.sum())), dim=1)
            sparse = torch.zeros_like(before).scatter(1, kept.indices, kept.values)
            loss = loss + (error.detach() - sparse @ decoder).pow(2).sum(1).mean() / 32
        self.optimiser.zero_grad()
        loss.backward()
        with torch.no_grad():
            decoder.grad -= (decoder.grad * decoder).sum(1, keepdim=True) * decoder
            self.optimiser.step()
            decoder /= decoder.norm(dim=1, keepdim=True)
            self.silent = torch.where((z > 0).any(0), 0, self.silent + len(x))
            least = z[z > 0].min().item()
            self.threshold = least if self.threshold is None else 0.99 * self.threshold + 0.01 * least

    @torch.no_grad()
    def judged(self, data):
        z, _ = self.codes((data - self.centre) / self.unit)
        return figures(data, (z @ self.parameters[2] + self.parameters[3]) * self.unit + self.centre, z)


def stored(folder, data):
    """What a SAELens folder makes of `data`, read without auscult."""
    configuration = json.loads((folder / "cfg.json").read_text())
    w = {name: value.float() for name, value in load_file(folder / "sae_weights.safetensors").items()}
    shown = data - w["b_dec"] if configuration.get("apply_b_dec_to_input") else data
    before = shown @ w["W_enc"] + w["b_enc"]
    z = torch.where(before > w["threshold"], F.relu(before), 0)
    return figures(data, z @ w["W_dec"] + w["b_dec"], z)


def figures(data, made, z):
    variance = 1 - ((data - made).pow(2).sum() / (data - data.mean(0)).pow(2).sum()).item()
    return variance, (z > 0).float().sum(1).mean().item(), ((z > 0).sum(0) == 0).float().mean().item()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dictionary", type=Path)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--judged", type=int, default=8, help="recordings that the plugin kept from training")
    parser.add_argument("--steps", type=int, default=1165)
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--k", type=int, default=32)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    configuration = json.loads((options.dictionary / "cfg.json").read_text())
    hook = re.search(r"encoder\.blocks\.(\d+)", json.dumps(configuration))
    lines = options.manifest.read_text().splitlines()
    paths = [options.manifest.parent / json.loads(line)["path"] for line in lines]
    began = time.time()
    heard = activations(paths, int(hook[1]))
    judged = range(1, 2 * options.judged, 2)
    kept = torch.cat([heard[i] for i in judged])
    data = torch.cat([clip for i, clip in enumerate(heard) if i not in judged])
    print(f"{len(data):,} positions to learn from, {len(kept):,} to judge; {time.time() - began:.0f} s")
    row = "{:18} explained variance {:.4f}  L0 {:5.2f}  dead {:.4f}"
    print(row.format("auscult", *stored(options.dictionary, kept)))
    found = []
    for seed in range(options.seeds):
        trained = BatchTopK(data, configuration["d_sae"], options.k, seed)
        for _ in range(options.steps):
            trained.step(data[torch.randint(len(data), (options.batch,), generator=trained.generator)])
        found.append(trained.judged(kept))
        print(row.format(f"PyTorch, seed {seed}", *found[-1]))
    print(row.format("PyTorch, mean", *np.mean(found, 0)))
    print(row.format("PyTorch, spread", *np.ptp(found, 0)))


if __name__ == "__main__":
    main()
