"""Greedy decoding and word errors, with the full, padded context of inference."""

import json
from pathlib import Path

import numpy as np
import torch

from .features import SAMPLE_RATE, model_input
from .phonemes import SILENCE


class HeldOut:
    """A held-out set of `synthesize`: records, and model inputs made on demand."""

    def __init__(self, folder: Path, name: str, count: int | None = None):
        stem = Path(folder, f"{name}-0000")
        self.records = json.loads(Path(f"{stem}.json").read_text())[:count]
        self._audio = np.load(f"{stem}.audio.npy", mmap_mode="r")
        self._labels = np.load(f"{stem}.labels.npy", mmap_mode="r")

    def inputs(self, indices, n_audio_ctx=500, padding="sound") -> torch.Tensor:
        """[clips, 80, 2 n_audio_ctx]"""
        return torch.stack([model_input(self.audio(index).astype(np.float32) / 32768, n_audio_ctx, padding)
                            for index in indices])

    def labels(self, index) -> np.ndarray:
        at, count = self.records[index]["labels"]
        return np.asarray(self._labels[at:at + count])

    def audio(self, index) -> np.ndarray:
        at, count = self.records[index]["audio"]
        return self._audio[at:at + count]

    def seconds(self, index) -> float:
        return self.records[index]["audio"][1] / SAMPLE_RATE

    def sound_end(self, index) -> float:
        """When the last sound ends, in seconds: before the clip's end, where that is silent."""
        return max((end for _, end, label in self.records[index]["phonemes"] if label != SILENCE), default=self.seconds(index))


@torch.no_grad()
def greedy(model, tokenizer, mels, prompt: list[int], longest=44, batch_size=25) -> list[list[int]]:
    """Token rows after the prompt, without <|endoftext|>. openai's hooks cache keys and values, which at a context of 500
    frames is nine tenths of the decoder's work."""
    rows = []
    for start in range(0, len(mels), batch_size):
        features = model.encoder(mels[start:start + batch_size])
        tokens = torch.tensor([prompt] * len(features))
        done = torch.zeros(len(features), dtype=torch.bool)
        cache, hooks = model.install_kv_cache_hooks()
        unread = tokens
        while not done.all() and tokens.shape[1] < min(model.dims.n_text_ctx, len(prompt) + longest):
            following = model.decoder(unread, features, kv_cache=cache)[:, -1].argmax(-1)
            following[done] = tokenizer.end
            unread = following[:, None]
            tokens = torch.cat([tokens, unread], 1)
            done |= following == tokenizer.end
        for hook in hooks:
            hook.remove()
        for row in tokens[:, len(prompt):].tolist():
            rows.append(row[:row.index(tokenizer.end)] if tokenizer.end in row else row)
    return rows


def edit_distance(hypothesis: list[str], reference: list[str]) -> int:
    row = list(range(len(reference) + 1))
    for i, word in enumerate(hypothesis, 1):
        diagonal, row[0] = row[0], i
        for j, expected in enumerate(reference, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (word != expected))
    return row[-1]


def word_error_rate(pairs) -> float:
    """[(hypothesis, reference)] -> errors over reference words."""
    pairs = list(pairs)
    errors = sum(edit_distance(hypothesis.split(), reference.split()) for hypothesis, reference in pairs)
    return errors / max(1, sum(len(reference.split()) for _, reference in pairs))


def transcribe(model, tokenizer, held_out: HeldOut, indices=None) -> list[str]:
    """Hypotheses in the order of `indices`, each decoded in its own language."""
    indices = list(range(len(held_out.records))) if indices is None else list(indices)
    hypotheses = {}
    for language in {held_out.records[index]["language"] for index in indices}:
        chosen = [index for index in indices if held_out.records[index]["language"] == language]
        rows = greedy(model, tokenizer, held_out.inputs(chosen, model.dims.n_audio_ctx), tokenizer.prompt(language))
        hypotheses.update(zip(chosen, (tokenizer.decode(row).strip() for row in rows)))
    return [hypotheses[index] for index in indices]
