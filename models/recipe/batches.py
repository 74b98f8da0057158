"""From shards to batches: clips of like length together, often several in a row, sometimes no speech at all.

A batch is made of samples on silence, so that a clip that begins or stops in the middle of a sound does so with the click it
has in use. Clips are placed on whole encoder frames, of 320 samples, so that their labels need no rounding. Three in ten begin
anywhere in the window: a model that has heard speech only at a window's beginning listens nowhere else.
"""

import json
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from .features import HOP
from .tokenizer import Tokenizer

ROUND = 6000  # clips planned at a time; new shards are seen between rounds
FRAME = 2 * HOP  # samples of an encoder frame
CONTEXT = 500  # encoder frames of a window
TEXT_CONTEXT = 64  # tokens the decoder reads at most
LONGEST_PROMPT = TEXT_CONTEXT // 2 - 1  # tokens of previous text, as openai-whisper takes them
LATEST_ONSET, LATEST_ONSET_JOINED = 400, 200  # frames before a window's first clip
LONGEST_GAP = 150  # frames between two clips in a row
LATEST_FIRST_STAMP = 50  # frames: openai's decoding allows no later first timestamp


@dataclass
class Example:
    """One clip of a shard, with its tokens and where its words lie in both text and time (encoder frames)."""

    shard: int
    audio: tuple[int, int]  # first sample, samples
    labels: tuple[int, int]
    sound: tuple[int, int]  # frames from its first sound to past its last
    language: str
    tokens: list[int]
    spans: list[tuple[int, int, int, int]]  # first token, past the last, first frame, past the last

    @property
    def frames(self) -> int:
        return self.labels[1]


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
        self.names, self.audio, self.labels, self.examples = [], [], [], []
        self.by_language = {}
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
            self.audio.append(np.load(f"{stem}.audio.npy", mmap_mode="r"))
            self.labels.append(np.load(f"{stem}.labels.npy", mmap_mode="r"))
            shard = len(self.names) - 1
            for record in json.loads(record_file.read_text()):
                example = self._example(shard, record)
                self.by_language.setdefault(example.language, []).append(len(self.examples))
                self.examples.append(example)
        self.uses = np.pad(self.uses, (0, len(self.examples) - len(self.uses)))

    def _example(self, shard, record):
        tokens, boundaries = [], [0]
        for word in record["text"].split():
            tokens += self.tokenizer.encode(" " + word)
            boundaries.append(len(tokens))
        spans = [(boundaries[first], boundaries[last + 1], int(start * 50), int(end * 50) + 1)
                 for start, end, first, last in record["words"]]
        at, frames = record["labels"]
        sounding = np.flatnonzero(self.labels[shard][at:at + frames])
        sound = (int(sounding[0]), int(sounding[-1]) + 1) if len(sounding) else (0, frames)
        return Example(shard, tuple(record["audio"]), (at, frames), sound, record["language"], tokens, spans)

    def samples(self, example):
        start, count = example.audio
        return torch.from_numpy(self.audio[example.shard][start:start + count].astype(np.float32)) / 32768

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
class Part:
    """A clip's place in a window, in frames; `first` and `past` are what of the clip is heard, by its own count."""

    example: int
    at: int
    first: int
    past: int

    @property
    def end(self) -> int:
        return self.at + self.past - self.first


@dataclass
class Item:
    """Clips of one language in a row. The last one may be `cut` by the end of the window."""

    parts: list[Part]
    cut: bool = False

    @property
    def frames(self) -> int:
        return self.parts[-1].end


class Batcher:
    def __init__(self, pool: Pool, augmenter, rng: random.Random, frames_per_batch: int = 5500):
        self.pool, self.augmenter, self.rng, self.frames_per_batch = pool, augmenter, rng, frames_per_batch

    def reseed(self, seed: int):
        """Make what follows depend on `seed` alone; the augmenter shares this generator."""
        self.rng.seed(seed)

    def plan(self, count=ROUND, join_share=0.0, longest_text=None) -> list[list[Item]]:
        """Batches of about `frames_per_batch` encoder frames, in random order. `join_share`: of the clips, those that others follow."""
        rng, pool = self.rng, self.pool
        admit = (lambda e: len(e.tokens) <= longest_text) if longest_text else (lambda e: True)
        items = []
        for index in pool.least_used(count, rng, admit):
            joined = rng.random() < join_share
            first = self._part(index)
            first.at = self._onset(first.past - first.first, joined)
            item = Item([first])
            if joined:
                self._join(item)
            items.append(item)
        items.sort(key=lambda item: item.frames)
        batches, batch = [], []
        for item in items:
            batch.append(item)
            if len(batch) >= 128 or len(batch) * (item.frames + 8) >= self.frames_per_batch:
                batches.append(batch)
                batch = []
        rng.shuffle(batches)
        return batches

    def _onset(self, length, joined) -> int:
        """Where a window's first clip begins: mostly within half a second, and often anywhere that the window still holds it,
        because whoever is recorded need not speak at once."""
        rng, latest = self.rng, max(0, CONTEXT - length)
        if rng.random() < (0.15 if joined else 0.3):
            return rng.randint(0, min(latest, LATEST_ONSET_JOINED if joined else LATEST_ONSET))
        return min(latest, rng.randint(0, 30) if rng.random() < (0.6 if joined else 0.25) else rng.randint(0, 3))

    def _gap(self) -> int:
        """Frames between two clips in a row; one gap in seven is a speaker's pause of up to three seconds."""
        rng, draw = self.rng, self.rng.random()
        return rng.randint(0, 5) if draw < 0.2 else rng.randint(40, LONGEST_GAP) if draw < 0.35 else rng.randint(5, 40)

    def _part(self, index, at=0) -> Part:
        """A clip, whole or without some of the silence around its sound: recordings are often cut closely."""
        example, rng = self.pool.examples[index], self.rng
        first, past = 0, example.frames
        if rng.random() < 0.35:
            first = rng.randint(0, max(0, example.sound[0] - 1))
        if rng.random() < 0.35:
            past = rng.randint(min(past, example.sound[1] + 1), past)
        return Part(index, at, first, past)

    def _join(self, item):
        """Let clips follow, to a random length; half of such windows are filled to the end, as within a long recording."""
        rng, pool = self.rng, self.pool
        examples = pool.examples
        language = examples[item.parts[0].example].language
        fill = rng.random() < 0.5
        target = CONTEXT if fill else rng.randint(150, CONTEXT - 10)
        tokens = len(examples[item.parts[0].example].tokens) + 2
        for _ in range(12):
            index = rng.choice(pool.by_language[language])
            part = self._part(index, item.frames + self._gap())
            longer = tokens + len(examples[index].tokens) + 2
            if part.end <= target and longer <= TEXT_CONTEXT - 6:
                item.parts.append(part)
                tokens = longer
            elif fill and part.end > CONTEXT and part.at + 10 < CONTEXT and longer <= TEXT_CONTEXT - 6:
                part.past = part.first + CONTEXT - part.at
                item.parts.append(part)
                item.cut = True
                return
            elif part.at + 40 > target:
                return

    def batch(self, items: list[Item], strength: float, full=False, timestamps=0.2, no_speech=0.03,
              silent_text=0.04) -> Batch:
        """`full` pads to the whole context as inference does; the rest are shares of clips.

        silent_text: clips with text but no sound. Their loss begins after the first text token, so that silence still
        means <|endoftext|> while the decoder learns what follows what, the bigrams the post found.
        """
        rng, tokenizer, kinds = self.rng, self.tokenizer, []
        for _ in items:
            draw = rng.random()
            kinds.append("none" if draw < no_speech else "text" if draw < no_speech + silent_text else "speech")
        ends = []  # of the recordings, in samples: some have silence behind the last clip, or stop within a frame
        for item in items:
            silence = rng.randint(0, 9600) if rng.random() < 0.2 else rng.randint(0, 1920)
            ends.append(min(CONTEXT * FRAME, item.frames * FRAME + (silence if strength else 0)))
        extra = rng.choice((0, 0, 0, 0, 0, 0, 8, 24))  # silence is cheap to learn and costs as much as speech
        frames = CONTEXT if full else min(CONTEXT, (max(ends) // FRAME + 2 + extra + 3) // 4 * 4)
        samples = torch.zeros(len(items), frames * FRAME)
        labels = torch.zeros(len(items), frames, dtype=torch.long)
        sequences, guides = [], []
        for clip, (kind, item) in enumerate(zip(kinds, items)):
            if kind == "speech":
                for number, part in enumerate(item.parts):
                    self._place(samples[clip], labels[clip], part, frames, number > 0, strength)
            sequence, first_target, guide = self._sequence(kind, item, timestamps)
            sequences.append((sequence, first_target))
            guides += [(clip, *span) for span in guide]
        tokens, targets = self._pad(sequences)
        word_frames = torch.zeros(*tokens.shape, frames, dtype=torch.bool)
        frame_words = torch.full((len(items), frames), -100)
        for clip, first, past, start, end in guides:
            word_frames[clip, first:past, max(0, start - 3):end + 3] = True
            if past - first == 1 and targets[clip, first] < tokenizer.end:
                frame_words[clip, max(0, start):end] = targets[clip, first]
        speech = [kind == "speech" for kind in kinds]
        # What ends with the window has nothing behind it.
        mel_padded = [kind != "text" and end < CONTEXT * FRAME and rng.random() < 0.5 for kind, end in zip(kinds, ends)]
        return Batch(self.augmenter(samples, speech, ends, strength, mel_padded), tokens, targets, labels, word_frames,
                     frame_words)

    def _place(self, samples, labels, part, frames, later, strength):
        """Put a part's samples and labels where they belong: as they are, or faded in and out over some milliseconds."""
        example, rng = self.pool.examples[part.example], self.rng
        past = min(part.past, part.first + frames - part.at)
        sound = self.pool.samples(example)[part.first * FRAME:past * FRAME]
        if strength and rng.random() < 0.3:
            length = min(rng.randint(80, 800), len(sound) // 2)
            ramp = torch.linspace(0, 1, length)
            sound[:length] *= ramp
            sound[len(sound) - length:] *= ramp.flip(0)
        if later and strength:
            sound *= 10 ** rng.uniform(-0.2, 0.2)
        samples[part.at * FRAME:part.at * FRAME + len(sound)] += sound
        labels[part.at:part.at + past - part.first] = self.pool.phonemes(example)[part.first:past]

    @property
    def tokenizer(self):
        return self.pool.tokenizer

    def _sequence(self, kind, item, timestamps):
        """Tokens, the first position with a loss, and [(position, past, frame, past)] for the guided heads."""
        tokenizer, rng = self.tokenizer, self.rng
        examples = [self.pool.examples[part.example] for part in item.parts]
        language = examples[0].language
        head = [tokenizer.start, tokenizer.language(language), tokenizer.transcribe]
        if kind == "none":
            prompt = self._prompt(language, rng.random() < 0.5, LONGEST_PROMPT) if rng.random() < 0.2 else []
            if rng.random() < 0.5:
                return [*prompt, tokenizer.start, tokenizer.no_speech, tokenizer.end], len(prompt), []
            mode = tokenizer.no_timestamps if rng.random() < 0.7 else tokenizer.first_timestamp
            return [*prompt, *head, mode, tokenizer.end], len(prompt) + 3, []
        if kind == "text":
            mode = tokenizer.no_timestamps if rng.random() < 0.6 else None  # the post prompts without it
            prompt = [*head, mode] if mode else head
            return [*prompt, *examples[0].tokens, tokenizer.end], len(prompt), []
        timed = rng.random() < (timestamps if len(item.parts) == 1 else min(1.0, 3 * timestamps))
        body, guide = [], []  # positions are counted from the body's start
        if not timed:
            head.append(tokenizer.no_timestamps)
        for part, example in zip(item.parts, examples):
            shift = part.at - part.first
            cut = item.cut and part is item.parts[-1]
            start = shift + max(example.sound[0], part.first)
            end = shift + min(example.sound[1], part.past)
            if timed:
                guide.append((len(body), len(body) + 1, start, start + 1))
                # Half of the late ones say what decoding will make of a late first timestamp.
                bound = LATEST_FIRST_STAMP if not body and rng.random() < 0.5 else CONTEXT
                body.append(tokenizer.timestamp(min(start, bound) * 0.02))
                if cut:  # its text belongs to the next window, which begins where it does
                    break
            spans = [span for span in example.spans if not cut or span[3] <= part.past]
            guide += [(len(body) + first, len(body) + past, shift + begin, shift + end) for first, past, begin, end in spans]
            # Without timestamps a cut clip's whole words are written.
            body += example.tokens[:max((past for _, past, _, _ in spans), default=0)] if cut else example.tokens
            if timed:
                guide.append((len(body), len(body) + 1, end - 1, end))
                body.append(tokenizer.timestamp(end * 0.02))
        room = min(LONGEST_PROMPT, TEXT_CONTEXT - len(head) - len(body) - 2)
        prompt = []
        if room > 3 and rng.random() < (0.04 if not timed else 0.5 if len(item.parts) == 1 else 0.65):
            prompt = self._prompt(language, timed, room)
        position = len(prompt) + len(head) - 1  # where the body's first token is predicted
        guide = [(position + first, position + past, begin, end) for first, past, begin, end in guide]
        return [*prompt, *head, *body, tokenizer.end], len(prompt), guide

    def _prompt(self, language, timed, longest):
        """What a window before this one may have said: its last tokens, as openai-whisper hands them on."""
        tokenizer, rng, tokens, at = self.tokenizer, self.rng, [], self.rng.randint(0, 20)
        for _ in range(rng.randint(1, 5)):
            example = self.pool.examples[rng.choice(self.pool.by_language[language])]
            if at + example.frames > CONTEXT:
                at = rng.randint(0, 20)
            if timed:
                tokens.append(tokenizer.timestamp((at + example.sound[0]) * 0.02))
            tokens += example.tokens
            if timed:
                tokens.append(tokenizer.timestamp((at + example.sound[1]) * 0.02))
            at += example.frames + rng.randint(0, 40)
        return [tokenizer.previous, *tokens[-longest:]]

    def _pad(self, sequences):
        longest = (max(len(sequence) for sequence, _ in sequences) + 2) // 4 * 4
        tokens = torch.full((len(sequences), longest), self.tokenizer.end)
        targets = torch.full((len(sequences), longest), -100)
        for row, (sequence, first_target) in enumerate(sequences):
            tokens[row, :len(sequence) - 1] = torch.tensor(sequence[:-1])
            targets[row, first_target:len(sequence) - 1] = torch.tensor(sequence[1 + first_target:])
        return tokens, targets
