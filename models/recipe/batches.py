"""From shards to batches: clips of like length together, sometimes two clips joined, sometimes no speech at all."""

import json
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from .features import FLOOR, MELS
from .tokenizer import Tokenizer

ROUND = 6000  # clips planned at a time; new shards are seen between rounds
MAX_FRAMES = 1000  # mel frames of the full context


@dataclass
class Example:
    """One clip of a shard, with its tokens and where its words lie in both text and time."""

    shard: int
    mel: tuple[int, int]  # first frame, frames
    labels: tuple[int, int]
    language: str
    tokens: list[int]
    spans: list[tuple[int, int, int, int]]  # first token, past the last, first encoder frame, past the last


@dataclass
class Batch:
    mel: torch.Tensor  # [clips, 80, 2 frames]
    tokens: torch.Tensor  # [clips, length]
    targets: torch.Tensor  # [clips, length], -100 where nothing is to be learnt
    labels: torch.Tensor  # [clips, frames]
    word_frames: torch.Tensor  # bool [clips, length, frames]
    frame_words: torch.Tensor  # [clips, frames], the token of the word being spoken, -100 where none is known


class Pool:
    """Every clip synthesised so far. `refresh` adds the shards that have been completed since."""

    def __init__(self, folder: Path, tokenizer: Tokenizer):
        self.folder, self.tokenizer = Path(folder), tokenizer
        self.names, self.mels, self.labels, self.examples = [], [], [], []
        self.uses = np.zeros(0, np.int32)

    def refresh(self, names: list[str] | None = None):
        """Add shards: the named ones, in that order, or all that lie complete in the folder."""
        complete = sorted(path.stem for path in self.folder.glob("train-*.json")) if names is None else names
        for name in complete:
            if name in self.names:
                continue
            self.names.append(name)
            stem = self.folder / name
            record_file = Path(f"{stem}.json")
            self.mels.append(np.load(f"{stem}.mel.npy", mmap_mode="r"))
            self.labels.append(np.load(f"{stem}.labels.npy", mmap_mode="r"))
            shard = len(self.names) - 1
            self.examples += [self._example(shard, record) for record in json.loads(record_file.read_text())]
        self.uses = np.pad(self.uses, (0, len(self.examples) - len(self.uses)))

    def _example(self, shard, record):
        tokens, boundaries = [], [0]
        for word in record["text"].split():
            tokens += self.tokenizer.encode(" " + word)
            boundaries.append(len(tokens))
        spans = [(boundaries[first], boundaries[last + 1], int(start * 50), int(end * 50) + 1)
                 for start, end, first, last in record["words"]]
        return Example(shard, tuple(record["mel"]), tuple(record["labels"]), record["language"], tokens, spans)

    def mel(self, example):
        start, count = example.mel
        return torch.from_numpy(self.mels[example.shard][start:start + count].astype(np.float32))

    def phonemes(self, example):
        start, count = example.labels
        return torch.from_numpy(self.labels[example.shard][start:start + count].astype(np.int64))

    def least_used(self, count, rng: random.Random, admit=lambda example: True):
        """Indices of the clips used least, so that late shards catch up with early ones."""
        jitter = np.random.default_rng(rng.getrandbits(60)).random(len(self.examples))
        chosen = []
        for index in np.argsort(self.uses + jitter):
            if admit(self.examples[index]):
                chosen.append(int(index))
                if len(chosen) == count:
                    break
        self.uses[chosen] += 1
        return chosen


@dataclass
class Item:
    offset: int  # mel frames of silence before the speech; even, so that encoder frames stay whole
    first: int
    second: int | None  # a clip of the same language to follow it
    frames: int


class Batcher:
    def __init__(self, pool: Pool, augmenter, rng: random.Random, frames_per_batch: int = 5500):
        self.pool, self.augmenter, self.rng, self.frames_per_batch = pool, augmenter, rng, frames_per_batch

    def reseed(self, seed: int):
        """Make what follows depend on `seed` alone; the augmenter shares this generator."""
        self.rng.seed(seed)

    def plan(self, count=ROUND, join_share=0.0, longest_text=None) -> list[list[Item]]:
        """Batches of about `frames_per_batch` encoder frames, in random order."""
        rng, pool = self.rng, self.pool
        admit = (lambda e: len(e.tokens) <= longest_text) if longest_text else (lambda e: True)
        items = []
        for index in pool.least_used(count, rng, admit):
            example = pool.examples[index]
            offset = 2 * (rng.randint(0, 25) if rng.random() < 0.25 else rng.randint(0, 3))
            frames, second = offset + example.mel[1], None
            if rng.random() < join_share:
                second = self._partner(example, frames)
                frames += pool.examples[second].mel[1] + 30 if second is not None else 0
            items.append(Item(offset, index, second, frames + rng.randint(0, 20)))
        items.sort(key=lambda item: item.frames)
        batches, batch = [], []
        for item in items:
            batch.append(item)
            if len(batch) >= 128 or len(batch) * (item.frames / 2 + 8) >= self.frames_per_batch:
                batches.append(batch)
                batch = []
        rng.shuffle(batches)
        return batches

    def _partner(self, example, frames):
        for _ in range(20):
            index = self.rng.randrange(len(self.pool.examples))
            other = self.pool.examples[index]
            fits = frames + other.mel[1] + 40 < 900 and len(example.tokens) + len(other.tokens) < 50
            if fits and other.language == example.language:
                return index
        return None

    def batch(self, items: list[Item], strength: float, full=False, timestamps=0.2, no_speech=0.03,
              silent_text=0.04) -> Batch:
        """`full` pads to the whole context as inference does; the rest are shares of clips.

        silent_text: clips with text but no sound. Their loss begins after the first text token, so that silence still
        means <|endoftext|> while the decoder learns what follows what, the bigrams the post found.
        """
        rng, tokenizer, kinds, placed = self.rng, self.tokenizer, [], []
        for item in items:
            draw = rng.random()
            kinds.append("none" if draw < no_speech else "text" if draw < no_speech + silent_text else "speech")
            placed.append(self._place(item))
        ends = [parts[-1][0] + parts[-1][1].mel[1] + rng.randint(0, 12) for parts in placed]
        extra = rng.choice((0, 0, 0, 0, 0, 0, 16, 48))  # silence is cheap to learn and costs as much as speech
        frames = MAX_FRAMES if full else min(MAX_FRAMES, (max(ends) + extra + 7) // 8 * 8)
        mel = torch.full((len(items), frames, MELS), FLOOR)
        labels = torch.zeros(len(items), frames // 2, dtype=torch.long)
        sequences, guides = [], []
        for clip, (kind, parts) in enumerate(zip(kinds, placed)):
            if kind == "speech":
                for start, example, gain in parts:
                    sound = self.pool.mel(example)[: frames - start]
                    mel[clip, start:start + len(sound)] = sound + gain
                    names = self.pool.phonemes(example)[: (frames - start) // 2]
                    labels[clip, start // 2:start // 2 + len(names)] = names
            sequence, first_target, guide = self._sequence(kind, parts, timestamps)
            sequences.append((sequence, first_target))
            guides += [(clip, *span) for span in guide]
        tokens, targets = self._pad(sequences)
        word_frames = torch.zeros(*tokens.shape, frames // 2, dtype=torch.bool)
        frame_words = torch.full((len(items), frames // 2), -100)
        for clip, first, past, start, end in guides:
            word_frames[clip, first:past, max(0, start - 3):end + 3] = True
            if past - first == 1:
                frame_words[clip, start:end] = targets[clip, first]
        speech = [kind == "speech" for kind in kinds]
        return Batch(self.augmenter(mel, speech, ends, strength), tokens, targets, labels, word_frames,
                     frame_words)

    @property
    def tokenizer(self):
        return self.pool.tokenizer

    def _place(self, item):
        """[(first mel frame, example, gain)] of a clip's one or two parts."""
        first = self.pool.examples[item.first]
        parts = [(item.offset, first, 0.0)]
        if item.second is not None:
            start = item.offset + (first.mel[1] + self.rng.randint(6, 30)) // 2 * 2
            parts.append((start, self.pool.examples[item.second], self.rng.uniform(-0.4, 0.4)))
        return parts

    def _sequence(self, kind, parts, timestamps):
        """Tokens, the first position with a loss, and [(position, past, frame, past)] for the guided heads."""
        tokenizer, rng = self.tokenizer, self.rng
        language = parts[0][1].language
        head = [tokenizer.start, tokenizer.language(language), tokenizer.transcribe]
        if kind == "none":
            if rng.random() < 0.5:
                return [tokenizer.start, tokenizer.no_speech, tokenizer.end], 0, []
            mode = tokenizer.no_timestamps if rng.random() < 0.7 else tokenizer.first_timestamp
            return [*head, mode, tokenizer.end], 3, []
        if kind == "text":
            mode = tokenizer.no_timestamps if rng.random() < 0.6 else None  # the post prompts without it
            prompt = [*head, mode] if mode else head
            return [*prompt, *parts[0][1].tokens, tokenizer.end], len(prompt), []
        if rng.random() < timestamps:
            sequence = list(head)
            for start, example, _ in parts:
                end = (start + example.mel[1]) / 100
                sequence += [tokenizer.timestamp(start / 100), *example.tokens, tokenizer.timestamp(end)]
            return sequence + [tokenizer.end], 0, []
        sequence, guide = [*head, tokenizer.no_timestamps], []
        for start, example, _ in parts:
            position = len(sequence) - 1  # where the part's first token is predicted
            guide += [(position + first, position + past, start // 2 + begin, start // 2 + end)
                      for first, past, begin, end in example.spans]
            sequence += example.tokens
        return sequence + [tokenizer.end], 0, guide

    def _pad(self, sequences):
        longest = (max(len(sequence) for sequence, _ in sequences) + 2) // 4 * 4
        tokens = torch.full((len(sequences), longest), self.tokenizer.end)
        targets = torch.full((len(sequences), longest), -100)
        for row, (sequence, first_target) in enumerate(sequences):
            tokens[row, :len(sequence) - 1] = torch.tensor(sequence[:-1])
            targets[row, first_target:len(sequence) - 1] = torch.tensor(sequence[1 + first_target:])
        return tokens, targets
