"""A small set of clips to try Auscult on:  python -m recipe.demo_set OUT

Sentences are of the grammar but held out from training; voices are those of training and two that are not. Phonemes and
words carry the times their engine reports. Non-speech is computed. One longer clip is four sentences in a row, so that
transcription has to move its window.
"""

import argparse
import json
import random
from pathlib import Path

import numpy as np
import soundfile

from . import noise
from .features import SAMPLE_RATE
from .grammar import Sentence, sentence
from .phonemes import SILENCE
from .synthesize import Synthesizer
from .voices import Voice

# name in the file, language, voice, how many sentences
SPEAKERS = [
    ("en-slt", "en", Voice("flite", "slt"), 3),
    ("en-rms", "en", Voice("flite", "rms"), 4),
    ("en-awb", "en", Voice("flite", "awb"), 3),
    ("en-kal", "en", Voice("flite", "kal16", pitch=105), 3),
    ("en-us", "en", Voice("espeak-ng", "gmw/en-US", rate=165, pitch=50), 3),
    ("en-gb", "en", Voice("espeak-ng", "gmw/en-GB-x-rp+f2", rate=160, pitch=55), 3),
    ("en-unseen", "en", Voice("espeak-ng", "gmw/en-US+f5", rate=160, pitch=55), 3),
    ("fr-male", "fr", Voice("espeak-ng", "roa/fr+m3", rate=155, pitch=45), 4),
    ("fr-female", "fr", Voice("espeak-ng", "roa/fr+f3", rate=155, pitch=55), 4),
    ("fr-unseen", "fr", Voice("espeak-ng", "roa/fr+m7", rate=155, pitch=45), 2),
]
# Said by one voice each, though they are phrases of the training: the post's bigrams, and repeated sounds.
PHRASES = [("en-slt", "the traffic lights are red"), ("en-rms", "thank you very much"),
           ("en-us", "cat hat cat hat"), ("en-kal", "three five three five")]
SENTENCE_GAP = 0.45  # seconds between the sentences of the long clip


def held_out_sentences(rng, language, count, words=(4, 9)):
    """Complete sentences of the test split, each text once."""
    chosen = []
    while len(chosen) < count:
        candidate = sentence(rng)
        fits = words[0] <= len(candidate.text.split()) <= words[1] and " and " not in candidate.text
        if candidate.is_held_out and candidate.kind == "template" and candidate.language == language and fits:
            if candidate not in chosen:
                chosen.append(candidate)
    return chosen


def record(name, clip, engine):
    texts = clip.text.split()
    return {
        "file": f"{name}.flac", "kind": "speech", "language": clip.language, "text": clip.text,
        "voice": clip.voice.split("/", 1)[1], "engine": engine,
        "duration": round(len(clip.samples) / SAMPLE_RATE, 3),
        "phonemes": [_span(start, end, label=label) for start, end, label in clip.phonemes if label != SILENCE],
        "words": [_span(start, end, word=" ".join(texts[first:last + 1])) for start, end, first, last in clip.words],
    }


def _span(start, end, **label):
    return {"start": round(start, 3), "end": round(end, 3), **label}


class DemoSet:
    def __init__(self, out: Path, seed: int):
        self.out, self.seed = out, seed
        self.synthesizer, self.records = Synthesizer(), []
        out.mkdir(parents=True, exist_ok=True)

    def _write(self, samples, entry):
        soundfile.write(self.out / entry["file"], samples, SAMPLE_RATE, subtype="PCM_16", compression_level=1.0)
        self.records.append(entry)

    def _speak(self, text: Sentence, voice: Voice, rng):
        """A clip at a level of its own, all of whose words have times."""
        return self.synthesizer.speak([(text, voice)], rng)[0]

    def speech(self):
        for number, (name, language, voice, count) in enumerate(SPEAKERS):
            rng = random.Random(self.seed + number)
            texts = held_out_sentences(rng, language, count)
            texts += [Sentence("en", text, "phrase") for speaker, text in PHRASES if speaker == name]
            for index, text in enumerate(texts, 1):
                clip = self._speak(text, voice, rng)
                self._write(clip.samples, record(f"{name}-{index:02}", clip, voice.engine))

    def long_clip(self, seconds=25.0):
        """Sentences of several voices in a row; times are shifted along."""
        rng = random.Random(self.seed + 100)
        voices = [voice for _, language, voice, _ in SPEAKERS[:6] if language == "en"]
        parts, entry, at = [], None, 0.0
        while at < seconds - 1.5:
            voice = voices[len(parts) // 2 % len(voices)]
            clip = self._speak(held_out_sentences(rng, "en", 1, words=(6, 11))[0], voice, rng)
            spoken = record("en-long-01", clip, "espeak-ng, flite")
            for span in spoken["phonemes"] + spoken["words"]:
                span["start"], span["end"] = round(span["start"] + at, 3), round(span["end"] + at, 3)
            if entry is None:
                entry = spoken | {"voice": "several"}
            else:
                entry["text"] += " " + spoken["text"]
                entry["phonemes"] += spoken["phonemes"]
                entry["words"] += spoken["words"]
            gap = np.zeros(int(SENTENCE_GAP * SAMPLE_RATE), np.float32)
            parts += [clip.samples * (0.6 / np.abs(clip.samples).max()), gap]
            at += (len(clip.samples) + len(gap)) / SAMPLE_RATE
        samples = np.concatenate(parts)
        self._write(samples, entry | {"duration": round(len(samples) / SAMPLE_RATE, 3)})

    def non_speech(self, seconds=2.0):
        samples = int(seconds * SAMPLE_RATE)
        kinds = ["noise", "surf", "hum", "melody", "melody and drums", "clicks", "sweep"]
        sounds = {kind: noise.waveform(np.random.default_rng(self.seed + index), kind, samples)
                  for index, kind in enumerate(kinds)}
        sounds["noise"] *= 0.3  # noise hardly compresses: quieter is smaller
        sounds["silence"] = np.zeros(samples, np.float32)
        time = np.arange(samples) / SAMPLE_RATE
        sounds["tone"] = (0.2 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)
        for kind, wave in sounds.items():
            self._write(wave, {
                "file": f"nonspeech-{kind.replace(' and ', '-')}.flac", "kind": "nonspeech", "language": None, "text": "",
                "voice": None, "engine": f"computed: {kind}", "duration": seconds, "phonemes": [], "words": []})

    def write_manifest(self):
        lines = (json.dumps(entry, ensure_ascii=False) + "\n" for entry in self.records)
        (self.out / "manifest.jsonl").write_text("".join(lines))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=4)
    arguments = parser.parse_args()
    demo = DemoSet(arguments.out, arguments.seed)
    demo.speech()
    demo.long_clip()
    demo.non_speech()
    demo.write_manifest()
    size = sum(path.stat().st_size for path in arguments.out.iterdir())
    print(json.dumps({"clips": len(demo.records), "bytes": size}))


if __name__ == "__main__":
    main()
