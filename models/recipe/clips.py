"""Clips of one length with every sound labelled, for scans over a data set:  python -m recipe.clips OUT --clips 10000

Sentences of the held-out texts in all training voices are spoken, and cut into windows of --seconds that follow one
another; what is left at a sentence's end is dropped. So no moment comes twice, and every frame of every clip is speech or
a pause within it. OUT gets WAV files and manifest.jsonl, which Auscult reads as a data set; a clip's speaker is its voice.
The sentences of a block depend on the seed and the block alone, so an interrupted run goes on where it stopped.
"""

import argparse
import json
import random
from pathlib import Path

import numpy as np
import soundfile

from . import voices
from .features import SAMPLE_RATE
from .grammar import sentence
from .phonemes import SILENCE
from .synthesize import Synthesizer

BLOCK = 256  # sentences spoken at a time


def windows(clip, seconds):
    """The clip's consecutive windows: (samples, phonemes, words), with times from the window's own start."""
    size = round(seconds * SAMPLE_RATE)
    texts = clip.text.split()
    words = [(start, end, " ".join(texts[first:last + 1])) for start, end, first, last in clip.words]
    sounds = [sound for sound in clip.phonemes if sound[2] != SILENCE]
    for number in range(len(clip.samples) // size):
        at = number * seconds
        yield clip.samples[number * size:(number + 1) * size], cut(sounds, at, seconds), cut(words, at, seconds)


def cut(spans, at, seconds):
    """What of the spans lies in [at, at + seconds), from its start."""
    return [[round(max(start - at, 0), 3), round(min(end - at, seconds), 3), label]
            for start, end, label in spans if end > at and start < at + seconds]


def sentences(rng, count):
    """Held-out sentences, each with a voice."""
    found = []
    while len(found) < count:
        spoken = sentence(rng)
        if spoken.is_held_out:
            found.append((spoken, voices.draw(rng, spoken.language, held_out=False)))
    return found


def write_block(out, synthesizer, seed, block, seconds):
    """One block's clips and their lines of the manifest; the lines are written last, and whole."""
    rng = random.Random(f"{seed}/{block}")
    lines = []
    for number, clip in enumerate(synthesizer.speak(sentences(rng, BLOCK), rng)):
        for window, (samples, phonemes, words) in enumerate(windows(clip, seconds)):
            name = f"clips/{block:04}/{number:03}-{window}.wav"
            path = out / name
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, samples, SAMPLE_RATE, subtype="PCM_16")
            lines.append({
                "path": name, "text": " ".join(word for _, _, word in words), "language": clip.language,
                "speaker": clip.voice, "phonemes": phonemes, "words": words})
    partial = out / f"block-{block:04}.partial"
    partial.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    partial.rename(out / f"block-{block:04}.jsonl")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--clips", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    synthesizer, lines, block = None, [], 0
    while len(lines) < arguments.clips:
        path = arguments.out / f"block-{block:04}.jsonl"
        if not path.exists():
            synthesizer = synthesizer or Synthesizer()
            write_block(arguments.out, synthesizer, arguments.seed, block, arguments.seconds)
        lines += path.read_text().splitlines()
        block += 1
    manifest = arguments.out / "manifest.partial"
    manifest.write_text("\n".join(lines[:arguments.clips]) + "\n")
    manifest.rename(arguments.out / "manifest.jsonl")
    print(json.dumps({"clips": arguments.clips, "seconds": arguments.seconds, "seed": arguments.seed}))


if __name__ == "__main__":
    main()
