"""Word error rates on what training never heard:  python -m recipe.evaluate --data FOLDER --model MODEL ...

Three held-out sets (sentences; voices; an engine), the first one's clips behind silence of 0 to 5 s (late), recordings of 25 to 40 s made
of its English clips (long; auscult only, since it is a matter of windows), and, with --digits, recordings of real speakers named DIGIT_SPEAKER_N.wav.
`--engine torch` decodes greedily with openai-whisper's model; `--engine auscult --binary PATH` writes the same clips as
WAV files, has Auscult transcribe them, and counts errors in the same way.
"""

import argparse
import collections
import json
import random
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import torch

from . import openai
from .batches import CONTEXT, FRAME
from .decode import HeldOut, edit_distance, greedy
from .features import SAMPLE_RATE, model_input, resample
from .tokenizer import Tokenizer

DIGITS = "zero one two three four five six seven eight nine".split()
ONSETS = (0, 1, 2, 3, 5)  # seconds of silence before a clip
FILES_PER_CALL = 100


class TorchEngine:
    """openai-whisper's model and Auscult's tokens; greedy, without timestamps."""

    def __init__(self, checkpoint: Path, tokenizer_folder: Path, padding: str):
        self.model, self.tokenizer, self.padding = openai.load(checkpoint), Tokenizer(tokenizer_folder), padding

    def transcribe(self, clips: list[np.ndarray], language: str) -> list[str]:
        """clips: int16 at 16 kHz"""
        texts = []
        for start in range(0, len(clips), 25):
            mels = torch.stack([model_input(clip.astype(np.float32) / 32768, self.model.dims.n_audio_ctx, self.padding)
                                for clip in clips[start:start + 25]])
            rows = greedy(self.model, self.tokenizer, mels, self.tokenizer.prompt(language))
            texts += [self.tokenizer.decode(row) for row in rows]
        return texts


class AuscultEngine:
    """`auscult transcribe` on WAV files."""

    def __init__(self, binary: Path, model_folder: Path, arguments: list[str]):
        # Resolved: a bare `default` would be the name of the model that the program carries.
        self.binary, self.model_folder, self.arguments = binary, model_folder.resolve(), arguments

    def transcribe(self, clips: list[np.ndarray], language: str) -> list[str]:
        texts = []
        with tempfile.TemporaryDirectory() as folder:
            files = []
            for index, clip in enumerate(clips):
                files.append(f"{folder}/{index:05}.wav")
                soundfile.write(files[-1], clip, SAMPLE_RATE, subtype="PCM_16")
            for start in range(0, len(files), FILES_PER_CALL):
                texts += self._call(files[start:start + FILES_PER_CALL], language)
        return texts

    def _call(self, files, language):
        command = [self.binary, "transcribe", *files, "--model", self.model_folder, "--language", language,
                   "--format", "json", *self.arguments]
        output = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout
        by_name = {Path(entry["file"]).name: entry["text"] for entry in json.loads(output)}
        return [by_name[Path(file).name] for file in files]


def words(text: str) -> list[str]:
    """Lower case, no punctuation but the apostrophe: what the grammar writes."""
    return re.sub(r"[^\w' ]", " ", text.lower()).split()


class Score:
    def __init__(self):
        self.errors, self.words, self.clips, self.wrong_clips = 0, 0, 0, 0

    def add(self, hypothesis, reference):
        distance = edit_distance(words(hypothesis), words(reference))
        self.errors, self.words = self.errors + distance, self.words + len(words(reference))
        self.clips, self.wrong_clips = self.clips + 1, self.wrong_clips + (distance > 0)

    def summary(self):
        return {"wer": round(self.errors / max(1, self.words), 4), "clips": self.clips,
                "wrong_clips": round(self.wrong_clips / max(1, self.clips), 4)}


def score_clips(engine, clips, texts, languages, groups) -> tuple[dict, list]:
    """groups: per clip, names under which it is also counted. Returns {group: summary} and the wrong clips."""
    hypotheses = [""] * len(clips)
    for language in sorted(set(languages)):
        chosen = [index for index, own in enumerate(languages) if own == language]
        for index, text in zip(chosen, engine.transcribe([clips[index] for index in chosen], language)):
            hypotheses[index] = text.strip()
    scores, wrong = collections.defaultdict(Score), []
    for hypothesis, text, names in zip(hypotheses, texts, groups):
        for name in ("all", *names):
            scores[name].add(hypothesis, text)
        if words(hypothesis) != words(text):
            wrong.append({"said": text, "heard": hypothesis, "voice": names[0]})
    return {name: score.summary() for name, score in sorted(scores.items())}, wrong


def held_out(engine, data: Path, name: str, count) -> tuple[dict, list]:
    clips = HeldOut(data, name, count)
    groups = [(record["voice"].split("+")[0], f"kind {record['kind']}", f"language {record['language']}")
              for record in clips.records]
    return score_clips(engine, [clips.audio(index) for index in range(len(clips.records))],
                       [record["text"] for record in clips.records],
                       [record["language"] for record in clips.records], groups)


def late_clips(engine, data: Path, count) -> tuple[dict, list]:
    """Held-out sentences, each at every one of ONSETS in its window; of the first `count` those that fit at the latest."""
    clips = HeldOut(data, "sentences", count)
    room = CONTEXT * FRAME - max(ONSETS) * SAMPLE_RATE
    fitting = [index for index in range(len(clips.records)) if len(clips.audio(index)) <= room]
    placed = [(onset, index) for onset in ONSETS for index in fitting]
    return score_clips(
        engine, [np.concatenate([np.zeros(onset * SAMPLE_RATE, np.int16), clips.audio(index)]) for onset, index in placed],
        [clips.records[index]["text"] for _, index in placed], [clips.records[index]["language"] for _, index in placed],
        [(f"onset {onset} s",) for onset, _ in placed])


@dataclass
class Recording:
    """Held-out clips in a row; `spoken` has of each its text and where it begins and ends, in samples."""

    samples: np.ndarray
    spoken: list[tuple[str, int, int]]

    @property
    def text(self) -> str:
        return " ".join(text for text, _, _ in self.spoken)


def recordings(data: Path, name="sentences") -> list[Recording]:
    """English held-out clips in a row, 0.2 to 0.7 s of silence between them, every clip once."""
    clips, rng = HeldOut(data, name), random.Random(0)
    english = [index for index, record in enumerate(clips.records) if record["language"] == "en"]
    found, parts, spoken, at, enough = [], [], [], 0, rng.uniform(25, 36)
    for index in english:
        silence, samples = np.zeros(int(rng.uniform(0.2, 0.7) * SAMPLE_RATE), np.int16), clips.audio(index)
        parts += [samples, silence]
        spoken.append((clips.records[index]["text"], at, at + len(samples)))
        at += len(samples) + len(silence)
        if at / SAMPLE_RATE >= enough:
            found.append(Recording(np.concatenate(parts), spoken))
            parts, spoken, at, enough = [], [], 0, rng.uniform(25, 36)
    return found


def long_recordings(engine, data: Path, count, name="sentences") -> tuple[dict, list]:
    """count: of recordings"""
    chosen = recordings(data, name)[:count]
    return score_clips(engine, [recording.samples for recording in chosen], [recording.text for recording in chosen],
                       ["en"] * len(chosen), [("long",)] * len(chosen))


def real_digits(engine, folder: Path, per_speaker_and_digit: int) -> tuple[dict, list]:
    clips, texts, groups = [], [], []
    for path in sorted(folder.glob("*.wav")):
        digit, speaker, number = path.stem.split("_")
        if int(number) >= per_speaker_and_digit:
            continue
        samples, rate = soundfile.read(path, dtype="float32")
        samples = resample(samples, SAMPLE_RATE, rate) if rate != SAMPLE_RATE else samples
        clips.append((np.clip(samples, -1, 1) * 32767).astype(np.int16))
        texts.append(DIGITS[int(digit)])
        groups.append((speaker, f"digit {digit}"))
    return score_clips(engine, clips, texts, ["en"] * len(clips), groups)


def report(name, result, arguments):
    summary, wrong = result
    print(json.dumps({"set": name, "engine": arguments.engine} | summary["all"]))
    for group, figures in summary.items():
        if group != "all":
            print("  ", json.dumps({"group": group} | figures, ensure_ascii=False))
    for example in wrong[:arguments.errors]:
        print("   wrong", json.dumps(example, ensure_ascii=False), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the held-out sets")
    parser.add_argument("--engine", choices=("torch", "auscult"), default="torch")
    parser.add_argument("--checkpoint", type=Path, help="torch: a model in openai-whisper's format")
    parser.add_argument("--padding", choices=("mel", "sound"), default="mel",
                        help="torch: zeros behind the log-mel, as transcripts have them, or behind the samples, as everything else")
    parser.add_argument("--binary", type=Path, help="auscult: the program")
    parser.add_argument("--model", type=Path, required=True, help="the exported folder (tokenizer for torch, all for auscult)")
    parser.add_argument("--argument", action="append", default=[], help="auscult: one more argument to pass on")
    parser.add_argument("--sets", nargs="*", default=["sentences", "voices", "engine", "late"],
                        help="of sentences, voices, engine, late and long; all but long by default")
    parser.add_argument("--count", type=int, help="clips of each set; all by default")
    parser.add_argument("--digits", type=Path, help="folder of DIGIT_SPEAKER_N.wav")
    parser.add_argument("--digits-each", type=int, default=10, help="recordings of each digit by each speaker")
    parser.add_argument("--errors", type=int, default=10, help="wrong clips to show of each set")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    if arguments.engine == "torch" and "long" in arguments.sets:
        parser.error("the set 'long' needs --engine auscult")
    torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)
    if arguments.engine == "torch":
        engine = TorchEngine(arguments.checkpoint, arguments.model, arguments.padding)
    else:
        engine = AuscultEngine(arguments.binary, arguments.model, arguments.argument)
    for name in arguments.sets:
        if name in ("late", "long"):
            made = (late_clips if name == "late" else long_recordings)(engine, arguments.data, arguments.count)
        else:
            made = held_out(engine, arguments.data, name, arguments.count)
        report(name, made, arguments)
    if arguments.digits:
        report("digits", real_digits(engine, arguments.digits, arguments.digits_each), arguments)


if __name__ == "__main__":
    main()
