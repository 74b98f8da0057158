"""Speak random sentences into shards:  python -m recipe.synthesize FOLDER --set train --shards 30

A shard is three files, written so that training can pick it up the moment it is whole (the .json comes last):
  NAME.audio.npy   int16 [samples]: all clips, one after the other, at 16 kHz
  NAME.labels.npy  uint8 [frames]: a phoneme index for every 20 ms
  NAME.json        one record a clip: text, language, voice, where it lies, and its words' times
Samples and not spectra are kept, because what lies around a clip changes the spectrum of its edges.
"""

import argparse
import itertools
import json
import math
import random
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from . import voices
from .engines import Espeak, Festival, Flite, Speech
from .features import SAMPLE_RATE, resample
from .grammar import sentence
from .phonemes import INDEX, SILENCE

FRAME_SECONDS = 0.02  # one encoder frame
SAMPLES_PER_FRAME = 320
MAX_SECONDS = 9.6
FESTIVAL_BATCH = 256
SETS = ("train", "sentences", "voices", "engine")


@dataclass
class Clip:
    """16 kHz speech with times in seconds; words as in `engines.Speech`."""

    text: str
    language: str
    kind: str
    voice: str
    samples: np.ndarray
    phonemes: list = field(default_factory=list)
    words: list = field(default_factory=list)


class Synthesizer:
    """All engines behind one call. `speak` takes a batch because festival needs one."""

    def __init__(self):
        self.espeak, self.flite, self.festival = Espeak(), Flite(), Festival()

    def speak(self, requests, rng: random.Random) -> list[Clip]:
        """[(Sentence, Voice)] -> clips in the same order, at 16 kHz, each at a random level."""
        by_festival = [index for index, (_, voice) in enumerate(requests) if voice.engine == "festival"]
        spoken = dict(zip(by_festival, self.festival.speak_all(
            [(requests[i][0].text, requests[i][1].name, requests[i][1].rate) for i in by_festival]))) if by_festival else {}
        clips = []
        for index, (sentence_, voice) in enumerate(requests):
            if voice.engine == "espeak-ng":
                speech = self.espeak.speak(sentence_.text, voice.name, sentence_.language, voice.rate, voice.pitch,
                                           voice.pitch_range)
            elif voice.engine == "flite":
                speech = self.flite.speak(sentence_.text, voice.name, voice.rate, voice.pitch)
            else:
                speech = spoken[index]
            clips.append(_clip(sentence_, voice, speech, rng.uniform(0.2, 0.9)))
        return clips


def _clip(sentence_, voice, speech: Speech, peak: float) -> Clip:
    # 16000 / rate, over speed, as a ratio of small integers (the rates are 8000, 16000, 22050 and 32000).
    up, down = {8000: (200, 100), 16000: (100, 100), 22050: (320, 441), 32000: (50, 100)}[speech.sample_rate]
    samples = resample(speech.samples, up, round(down * voice.speed))
    speed = round(down * voice.speed) / down
    samples = samples[: int(MAX_SECONDS * SAMPLE_RATE)]
    samples = samples * (peak / (np.abs(samples).max() + 1e-6)) if len(samples) else samples
    return Clip(sentence_.text, sentence_.language, sentence_.kind, voice.label, samples.astype(np.float32),
                [(start / speed, end / speed, label) for start, end, label in speech.phonemes],
                [(start / speed, end / speed, first, last) for start, end, first, last in speech.words])


def frame_labels(phonemes, frames: int) -> np.ndarray:
    """A phoneme index for each 20 ms frame: the sound at the frame's centre, (t + 0.5) / 50 s."""
    labels = np.full(frames, INDEX[SILENCE], np.uint8)
    centres = (np.arange(frames) + 0.5) * FRAME_SECONDS
    for start, end, label in phonemes:
        labels[(centres >= start) & (centres < end)] = INDEX[label]
    return labels


def _requests(rng, which, simple_share):
    """Endless (Sentence, Voice) of one set. Sentences are split by their text, so the sets cannot overlap."""
    while True:
        spoken = sentence(rng, simple=which == "train" and rng.random() < simple_share)
        if spoken.is_held_out != (which != "train") or (which == "engine" and spoken.language != "en"):
            continue
        voice = voices.draw(rng, spoken.language, held_out=which == "voices")
        yield spoken, (voices.Voice("festival", voices.UNSEEN_ENGINE_VOICE) if which == "engine" else voice)


def write_shard(path: Path, synthesizer, which, count, seed, simple_share=0.0):
    rng = random.Random(seed)
    labels, audio, records = [], [], []
    label = sample = 0
    requests = _requests(rng, which, simple_share)
    while len(records) < count:
        batch = list(itertools.islice(requests, min(FESTIVAL_BATCH, count)))
        for clip in synthesizer.speak(batch, rng):
            if len(clip.samples) < SAMPLE_RATE // 10 or not clip.samples.any() or len(records) == count:
                continue
            clip_labels = frame_labels(clip.phonemes, math.ceil(len(clip.samples) / SAMPLES_PER_FRAME))
            records.append({
                "text": clip.text, "language": clip.language, "kind": clip.kind, "voice": clip.voice,
                "labels": [label, len(clip_labels)], "audio": [sample, len(clip.samples)],
                "words": [[round(start, 3), round(end, 3), first, last] for start, end, first, last in clip.words],
                "phonemes": [] if which == "train" else [[round(s, 3), round(e, 3), p] for s, e, p in clip.phonemes],
            })
            label, sample = label + len(clip_labels), sample + len(clip.samples)
            labels.append(clip_labels)
            audio.append((clip.samples * 32767).astype(np.int16))
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path.with_suffix(".labels.npy"), np.concatenate(labels))
    np.save(path.with_suffix(".audio.npy"), np.concatenate(audio))
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(records, ensure_ascii=False))
    partial.rename(path.with_suffix(".json"))
    return sample / (3600 * SAMPLE_RATE)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--set", choices=SETS, default="train", dest="which")
    parser.add_argument("--shards", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first shard; its seed follows from it")
    parser.add_argument("--clips", type=int, default=4000, help="clips a shard")
    parser.add_argument("--simple-shards", type=int, default=2, help="leading shards with mostly words and phrases")
    parser.add_argument("--seed", type=int, default=1000)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    synthesizer = Synthesizer()
    for number in range(arguments.first, arguments.first + arguments.shards):
        started = time.time()
        path = arguments.folder / f"{arguments.which}-{number:04d}"
        if path.with_suffix(".json").exists():
            continue
        seed = arguments.seed + 100_000 * SETS.index(arguments.which) + number
        simple_share = 0.7 if number < arguments.simple_shards else 0.1
        hours = write_shard(path, synthesizer, arguments.which, arguments.clips, seed, simple_share)
        print(json.dumps({"shard": str(path), "clips": arguments.clips, "hours": round(hours, 3),
                          "seconds": round(time.time() - started, 1)}), flush=True)


if __name__ == "__main__":
    main()
