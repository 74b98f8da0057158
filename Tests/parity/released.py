"""The released Whispers tiny.en and base, on recordings of people, beside openai-whisper.

`make released` brings their weights below .build/released (or name a folder by $AUSCULT_RELEASED). Without them, or without
recordings ($AUSCULT_RECORDINGS, or shared/audio beside the repository), this is left out, and says so. $AUSCULT_VOICES names
more of them: manifests, with colons between.
"""

import json
import math
import os
from pathlib import Path

import torch
from whisper.tokenizer import get_tokenizer

import checkpoints
import ctranslate2
import recordings
import reference
import rounding
import utterances


class Model:
    """A released model: its folder, and openai-whisper with its weights."""

    def __init__(self, name):
        self.name, self.path = name, checkpoints.RELEASED / f"whisper-{name}"
        dimensions, state = ctranslate2.state(self.path)
        self.network = reference.model(dimensions, state)
        self.is_multilingual = dimensions.n_vocab >= 51865
        self.tokenizer = get_tokenizer(self.is_multilingual, num_languages=self.network.num_languages, language="en",
                                       task="transcribe")
        heads = torch.zeros(dimensions.n_text_layer, dimensions.n_text_head, dtype=torch.bool)
        for layer, head in ctranslate2.alignment_heads(self.path):
            heads[layer, head] = True
        self.network.register_buffer("alignment_heads", heads.to_sparse(), persistent=False)

    def prompt(self, samples):
        """What the decoder reads: start tokens and openai-whisper's greedy text of the recording."""
        written = self.network.transcribe(
            samples, temperature=0.0, fp16=False, without_timestamps=True, condition_on_previous_text=False,
            language="en")
        text = [token for segment in written["segments"] for token in segment["tokens"]
                if token < self.tokenizer.eot]
        return [*self.tokenizer.sot_sequence_including_notimestamps, *text][:100]


def check(auscult, work, part, only=(), kinds=utterances.KINDS, seconds=math.inf):
    """`part`: "rounding" or "tokens", of which `kinds`, for so many seconds. -> whether everything passed; what cannot be
    had is left out, and None where that is all."""
    passed = None
    for name in checkpoints.RELEASED_NAMES:
        if only and name not in only or not checkpoints.has_released(name):
            continue
        speech = voices()
        if not speech:
            print(f"\n{name}: left out, there are no recordings of people in {recordings.SHARED / 'voices'}")
            continue
        model, passed = Model(name), passed is not False
        if part == "rounding":
            passed &= rounding.check(auscult, work, model, spread(speech, 17), seconds)
        else:
            passed &= utterances.check(auscult, work, model, speech, kinds, seconds)
    return passed


def voices():
    """Name -> (samples, language) of recordings of people or of sounds; the manifests', then those beside the first."""
    manifests = [recordings.SHARED / "voices" / "manifest.jsonl"]
    manifests += [Path(path) for path in os.environ.get("AUSCULT_VOICES", "").split(":") if path]
    if not manifests[0].exists():
        return {}
    found = {}
    for manifest in manifests:
        rows = [json.loads(line) for line in manifest.read_text().splitlines() if line.strip()]
        found |= {row["path"]: (manifest.parent / row["path"], row.get("language") or "") for row in rows}
    for folder in ("speech", "sounds"):
        found |= {path.name: (path, "en" if folder == "speech" else "")
                  for path in sorted((recordings.SHARED / folder).iterdir())}
    digits = sorted((recordings.SHARED / "digits").glob("*.wav"))[::23]
    found |= {path.name: (path, "en") for path in digits}
    return {name: (recordings.read(path), language) for name, (path, language) in found.items() if path.exists()}


def spread(speech, count):
    """So many recordings of speech, evenly over all of them, and jfk, music and silence. Name -> samples."""
    longer = {name: samples for name, (samples, language) in speech.items()
              if len(samples) > 2 * recordings.RATE and language == "en"}
    names = list(longer)
    chosen = {names[index * len(names) // count]: None for index in range(count)}
    chosen |= {name: None for name in speech if "jfk" in name or "strings" in name or "silence" in name}
    return {name: speech[name][0] for name in chosen}
