"""From shards to batches: clips of like length together, often several in a row, sometimes no speech at all.

A batch is made of samples on silence, so that a clip that begins or stops in the middle of a sound does so with the click it
has in use. Clips are placed on whole encoder frames, of 320 samples, so that their labels need no rounding. Three in ten begin
anywhere in the window: a model that has heard speech only at a window's beginning listens nowhere else. Some begin a recording of
up to a minute, of which every window is shown as transcription comes to it: where the last one ended, and with what it said.
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
MOST_WRITTEN = TEXT_CONTEXT - LONGEST_PROMPT - 4  # tokens that behind such a prompt a window has room for, the end not counted
LATEST_ONSET, LATEST_ONSET_JOINED = 400, 200  # frames before a window's first clip
LONGEST_GAP = 150  # frames between two clips in a row
ASTRAY = 0.05  # of a recording's windows, those after which the next one begins too late, and those that lack a sentence
GRACE = 2  # frames of a sound that may be missing without being missed
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
        self.fixed = []  # examples of fixed phrases
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
                if record["kind"] in ("phrase", "collocation"):
                    self.fixed.append(len(self.examples))
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
    text: tuple[int, int] | None = None  # of its tokens those that the window is to have, where not all

    @property
    def end(self) -> int:
        return self.at + self.past - self.first


@dataclass
class Item:
    """Clips of one language in a row. The last one may be `cut` by the end of the window."""

    parts: list[Part]
    cut: bool = False
    recorded: str = ""  # a window of a recording in this language
    length: int = 0  # frames that the recording has for it
    prompt: list[int] | None = None  # what was said before, if that is known
    louder: float = 0.0  # log10 of how much louder the recording is elsewhere

    @property
    def frames(self) -> int:
        return self.length or self.parts[-1].end


class Batcher:
    def __init__(self, pool: Pool, augmenter, rng: random.Random, frames_per_batch: int = 5500):
        self.pool, self.augmenter, self.rng, self.frames_per_batch = pool, augmenter, rng, frames_per_batch

    def reseed(self, seed: int):
        """Make what follows depend on `seed` alone; the augmenter shares this generator."""
        self.rng.seed(seed)

    def plan(self, count=ROUND, join_share=0.0, longest_text=None, recording_share=0.0) -> list[list[Item]]:
        """Batches of about `frames_per_batch` encoder frames, in random order. `join_share`: of the clips, those that others follow;
        `recording_share`: those that begin a recording, which makes half a dozen windows."""
        rng, pool = self.rng, self.pool
        admit = (lambda e: len(e.tokens) <= longest_text) if longest_text else (lambda e: True)
        items = []
        for index in pool.least_used(count, rng, admit):
            if recording_share and rng.random() < recording_share:
                items += self._recording(index)
                continue
            joined = rng.random() < join_share
            first = self._part(index)
            first.at = self._onset(first.past - first.first, joined)
            item = Item([first])
            if joined:
                self._join(item)
            items.append(item)
        if recording_share:
            rng.shuffle(items)  # or the windows of a recording would be one step
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

    def _recording(self, index) -> list[Item]:
        """The windows of a recording that begins with this clip, each where the one before it ended: at the last timestamp of a
        complete sentence, which may be somewhat wrong, or at the window's end where no other sentence had begun."""
        rng, pool = self.rng, self.pool
        language = pool.examples[index].language
        placed, at, enough = [], rng.randint(0, 30), rng.uniform(22, 55) * 50
        while at < enough:
            placed.append(self._part(index, at))
            at, index = placed[-1].end + self._gap(), rng.choice(pool.by_language[language])
        length = placed[-1].end + (rng.randint(0, 60) if rng.random() < 0.7 else 0)
        seek, said, written, items = 0, [], 0, []
        while seek < length:
            draw = rng.random()
            prompt = self._misheard(said, language) if said and draw < 0.68 else []
            knows = bool(prompt)
            if draw > 0.95:
                prompt = self._prompt(language, True, LONGEST_PROMPT)[1:]
            item = self._window(placed, seek, length, written if knows else 0, language)
            item.prompt = prompt[-LONGEST_PROMPT:]
            items.append(item)
            body, _, count = self._body(item, True, strict=True)
            stamps = [token >= self.tokenizer.first_timestamp for token in body]
            if item.parts:
                first = next(number for number, part in enumerate(placed) if part.end > seek)
                written = max(written, first + count)
            if stamps[-2:] == [True, True] and rng.random() >= ASTRAY:
                end = self._misplaced(body[-2] - self.tokenizer.first_timestamp)
                said += [*body[:-2], self.tokenizer.timestamp(end * 0.02)]
                seek = self._placeable(placed, seek + end)
            else:
                said += body[:-1] if stamps[-2:] == [True, True] else body if len(body) > 1 else []
                seek = self._placeable(placed, seek + CONTEXT)
            if said and rng.random() < ASTRAY:  # a sentence was not heard
                said = said[:max((i for i in range(1, len(said) - 1) if min(said[i - 1:i + 1]) >= self.tokenizer.first_timestamp), default=0)]
        return items

    def _misplaced(self, end) -> int:
        """Where a window says that its last sentence ended: mostly where it did."""
        rng, draw = self.rng, self.rng.random()
        if draw < 0.4:
            return max(1, end)
        return min(CONTEXT - 1, max(1, end + (rng.randint(-4, 6) if draw < 0.85 else rng.randint(-25, 25))))

    def _placeable(self, placed, seek) -> int:
        """Here, or before the clip that lies here where it isn't known which of its words does."""
        for part in placed:
            example = self.pool.examples[part.example]
            if part.at + max(example.sound[0], part.first) - part.first + GRACE < seek < part.end and not self._covered(example):
                return max(1, part.at)
        return seek

    @staticmethod
    def _covered(example) -> bool:
        """Whether it's known of all of its text when it is said."""
        at = 0
        for first, past, _, _ in example.spans:
            if first != at:
                return False
            at = past
        return at == len(example.tokens)

    def _window(self, placed, seek, length, written, language) -> Item:
        """The recording from here, as far as a window reaches. Of the first `written` clips nothing is to be written again; of one that
        began before, the words that are heard whole."""
        end = min(seek + CONTEXT, length)
        parts, cut, rng = [], False, self.rng
        for number, part in enumerate(placed):
            if part.end <= seek or part.at >= end:
                continue
            example = self.pool.examples[part.example]
            heard = Part(part.example, max(0, part.at - seek), part.first + max(0, seek - part.at), part.past - max(0, part.end - end))
            begins, ends = max(example.sound[0], part.first), min(example.sound[1], part.past)
            if heard.past <= begins:  # only the silence before it
                continue
            if number < written or heard.first >= ends:
                heard.text = (0, 0)
            elif heard.first > begins + GRACE:
                heard.text = (self._first_whole(example, heard.first), len(example.tokens))
            if heard.text != (0, 0) and heard.past < ends - GRACE:
                cut = True
            parts.append(heard)
        louder = max(0.0, rng.gauss(0.2, 0.4)) if parts else rng.uniform(9, 11.5)  # than silence
        return Item(parts, cut, language, end - seek, louder=louder)

    @staticmethod
    def _first_whole(example, first) -> int:
        """The token of the first word of which no more than a third lies before this frame; past the last if there is none."""
        for token, _, begin, past in example.spans:
            if first - begin <= min(5, (past - begin) // 3):
                return token
        return len(example.tokens)

    def _misheard(self, said, language) -> list[int]:
        """Now and then some words of it are others."""
        rng = self.rng
        if rng.random() < 0.75:
            return list(said)
        share, tokenizer = rng.uniform(0.05, 0.4), self.tokenizer
        others = [token for _ in range(4) for token in self.pool.examples[rng.choice(self.pool.by_language[language])].tokens]
        return [rng.choice(others) if token < tokenizer.end and rng.random() < share else token for token in said]

    def batch(self, items: list[Item], strength: float, full=False, timestamps=0.2, no_speech=0.03,
              silent_text=0.08) -> Batch:
        """`full` pads to the whole context as inference does; the rest are shares of clips.

        silent_text: clips with text but no sound, half of them fixed phrases. Their loss begins after the first text token, so that
        silence still means <|endoftext|> while the decoder learns what follows what, the bigrams the post found.
        """
        rng, tokenizer, kinds = self.rng, self.tokenizer, []
        for item in items:
            draw = rng.random()
            kinds.append("speech" if item.recorded else "none" if draw < no_speech else "text" if draw < no_speech + silent_text
                         else "speech")
        items = [Item([self._part(rng.choice(self.pool.fixed))], length=item.frames)
                 if kind == "text" and self.pool.fixed and rng.random() < 0.5 else item for kind, item in zip(kinds, items)]
        ends = []  # of the recordings, in samples: some have silence behind the last clip, or stop within a frame
        for item in items:
            silence = 0 if item.recorded else rng.randint(0, 9600) if rng.random() < 0.2 else rng.randint(0, 1920)
            ends.append(min(CONTEXT * FRAME, item.frames * FRAME + (silence if strength else 0)))
        extra = rng.choice((0, 0, 0, 0, 0, 0, 8, 24))  # silence is cheap to learn and costs as much as speech
        frames = CONTEXT if full else min(CONTEXT, (max(ends) // FRAME + 2 + extra + 3) // 4 * 4)
        samples = torch.zeros(len(items), frames * FRAME)
        labels = torch.zeros(len(items), frames, dtype=torch.long)
        sequences, guides = [], []
        for clip, (kind, item) in enumerate(zip(kinds, items)):
            if kind == "speech":
                for number, part in enumerate(item.parts):
                    self._place(samples[clip], labels[clip], part, frames, number > 0, strength, not item.recorded)
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
        mel_padded = [kind != "text" and end < CONTEXT * FRAME and (item.recorded or rng.random() < 0.5)
                      for kind, end, item in zip(kinds, ends, items)]
        return Batch(self.augmenter(samples, speech, ends, strength, mel_padded, [item.louder for item in items]), tokens, targets,
                     labels, word_frames, frame_words)

    def _place(self, samples, labels, part, frames, later, strength, fading=True):
        """Put a part's samples and labels where they belong: as they are, or faded in and out over some milliseconds."""
        example, rng = self.pool.examples[part.example], self.rng
        past = min(part.past, part.first + frames - part.at)
        sound = self.pool.samples(example)[part.first * FRAME:past * FRAME]
        if strength and fading and rng.random() < 0.3:
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
        language = item.recorded or examples[0].language
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
        often = 1 if not item.recorded and len(item.parts) == 1 else 3
        timed = rng.random() < (0.94 if item.recorded and timestamps else min(1.0, often * timestamps))
        if not timed:
            head.append(tokenizer.no_timestamps)
        body, guide, _ = self._body(item, timed)
        room = min(LONGEST_PROMPT, TEXT_CONTEXT - len(head) - len(body) - 1)
        prompt = []
        if item.recorded:
            prompt = [tokenizer.previous, *item.prompt] if item.prompt and timed else []
            if not body and rng.random() < 0.5:
                return [*prompt, tokenizer.start, tokenizer.no_speech, tokenizer.end], len(prompt), []
            if not body and timed:  # as decoding has it, which ends nothing at once
                body = [tokenizer.first_timestamp]
        elif room > 3 and rng.random() < (0.04 if not timed else 0.5 if len(item.parts) == 1 else 0.65):
            prompt = self._prompt(language, timed, room)
        position = len(prompt) + len(head) - 1  # where the body's first token is predicted
        guide = [(position + first, position + past, begin, end) for first, past, begin, end in guide]
        if not timed and len(body) > TEXT_CONTEXT - 6:  # more than fits is not ended
            return [*prompt, *head, *body][:TEXT_CONTEXT], len(prompt), [span for span in guide if span[1] < TEXT_CONTEXT - 1]
        return [*prompt, *head, *body, tokenizer.end], len(prompt), guide

    def _body(self, item, timed, strict=False):
        """What is written of a window, [(position, past, frame, past)] for the guided heads, and of how many parts it has all that is to be said.

        With timestamps a sentence that the window's end cuts, or for which there is no room behind a prompt, is begun and left to the next
        window; if it is the first one, it's written as far as whole words go, and ended there. `strict`: with a first timestamp as decoding has it.
        """
        tokenizer, rng, body, guide = self.tokenizer, self.rng, [], []
        for number, part in enumerate(item.parts):
            example = self.pool.examples[part.example]
            shift, cut = part.at - part.first, item.cut and number == len(item.parts) - 1
            low, high = part.text or (0, len(example.tokens))
            if low == high:
                continue
            spans = [span for span in example.spans if span[0] >= low and not (cut and span[3] > part.past)]
            start = shift + max(example.sound[0], part.first)
            end = shift + min(example.sound[1], part.past)
            if low and spans:
                start = max(0, shift + spans[0][2])
            full = timed and len(body) + high - low + 2 > MOST_WRITTEN - 1
            if timed:
                guide.append((len(body), len(body) + 1, start, start + 1))
                # Half of the late ones say what decoding will make of a late first timestamp.
                bound = LATEST_FIRST_STAMP if not body and (strict or rng.random() < 0.5) else CONTEXT
                body.append(tokenizer.timestamp(min(start, bound) * 0.02))
                if (cut or full) and len(body) > 1:  # its text belongs to the next window, which begins before it
                    return body, guide, number
            if full:
                spans = [span for span in spans if span[1] - low <= MOST_WRITTEN - 3]
            # What is cut is written as far as whole words go.
            past = max((span[1] for span in spans), default=low) if cut or full else high
            guide += [(len(body) + first - low, len(body) + last - low, shift + begin, shift + close) for first, last, begin, close in spans]
            body += example.tokens[low:past]
            if timed and (cut or full):
                if past == low:
                    return body, guide, number
                end = max(shift + spans[-1][3] - 1, start + 1)
                guide.append((len(body), len(body) + 1, end - 1, end))
                return [*body, *[tokenizer.timestamp(end * 0.02)] * 2], guide, number
            if timed:
                guide.append((len(body), len(body) + 1, end - 1, end))
                body.append(tokenizer.timestamp(end * 0.02))
        return body, guide, len(item.parts)

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
