"""The three analyses that come as plugins, against analyses.py on openai-whisper's activations.

Both sides hear the embedded clips, `demo:`, which are also files of this repository: speech in two languages, a
recording of three windows, and sounds that are no speech; and real spoken digits where $AUSCULT_DIGITS has them.
Figures are held to 1e-4 of the largest of their kind; of probes, see probing.py.
"""

import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

import analyses
import checkpoints
import engine
import probing
import recordings
import reference
from comparison import Figures

PROMPTS = ("the", "a cat", "one")
#: {digit}_{speaker}_{take}.wav, the layout of the Free Spoken Digit Dataset.
DIGITS = Path(os.environ.get("AUSCULT_DIGITS", recordings.SHARED / "digits"))
TAKES = 10


@dataclass
class Heard:
    """What the reference has of a recording: its labels, sums of each layer's heads for each window, and each encoder
    block's mean over the valid frames."""
    labels: dict
    heads: list = field(default_factory=list)
    means: list = field(default_factory=list)


def check(auscult, work, default):
    """-> whether everything passed."""
    weights = checkpoints.default_model(default)
    network = reference.model(weights.dimensions, weights.state)
    figures = Figures()
    rows = demonstration()
    heard = [listen(network, weights, samples, labels, heads=True) for samples, labels in rows]
    check_attention(figures, auscult.analysis("attention-stats", default, "demo:"), heard)
    for target, label in (("is_french", is_french), ("is_speech", is_speech)):
        probing.check(figures, auscult, work, default, "demo:", target, "voice", label, heard)
    manifest, rows = digits(work.resolve() / "digits")
    if manifest:
        heard = [listen(network, weights, samples, labels) for samples, labels in rows]
        for target in ("digit", "speaker"):
            probing.check(figures, auscult, work, default, manifest, target, "speaker",
                          lambda labels: labels[target], heard)
    check_bigrams(figures, auscult, default, weights, network)
    return figures.passed


# MARK: - What both sides hear

def is_french(labels):
    return None if labels["kind"] != "speech" else "yes" if labels["language"] == "fr" else "no"


def is_speech(labels):
    return "yes" if labels["kind"] == "speech" else "no"


def demonstration():
    """The embedded clips in their order: samples and labels."""
    folder = recordings.ROOT / "models" / "demo"
    lines = (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    return [(recordings.read(folder / row["file"]), {name: row.get(name) for name in ("kind", "language", "voice")})
            for row in map(json.loads, lines)]


def digits(folder):
    """The manifest of the first takes of every digit and speaker, as 16 kHz WAV, and its rows; None where there are no
    recordings."""
    names = sorted((*path.stem.split("_"), path) for path in DIGITS.glob("[0-9]_*_[0-9]*.wav"))
    names = [name for name in names if int(name[2]) < TAKES]
    if not names:
        print(f"real digits: skipped, {DIGITS} has no recordings; $AUSCULT_DIGITS names another folder")
        return None, []
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    rows, lines = [], []
    for digit, speaker, _, path in names:
        samples = recordings.read(path)
        recordings.write(samples, folder / path.name)
        lines.append(json.dumps({"file": path.name, "digit": digit, "speaker": speaker}) + "\n")
        rows.append((samples, {"digit": digit, "speaker": speaker}))
    manifest = folder / "manifest.jsonl"
    manifest.write_text("".join(lines), encoding="utf-8")
    return manifest, rows


def listen(network, weights, samples, labels, heads=False):
    """What the reference hears, a window at a time."""
    dimensions, result = weights.dimensions, Heard(labels)
    layers, size = range(dimensions.n_audio_layer), dimensions.n_audio_ctx * 320
    sums, count = [0] * len(layers), 0
    for start in range(0, len(samples), size):
        part = samples[start:start + size]
        mel = reference.log_mel(torch.from_numpy(part), dimensions.n_mels, 2 * dimensions.n_audio_ctx)
        values = reference.activations(network, mel, weights.prompt)
        frames = min(dimensions.n_audio_ctx, -(-len(part) // 320))
        count += frames
        for layer in layers:
            sums[layer] = sums[layer] + values[f"encoder.blocks.{layer}"][:frames].astype(np.float64).sum(0)
        if heads:
            result.heads.append(
                [analyses.attention(values[f"encoder.blocks.{layer}.attn.pattern"], frames) for layer in layers])
    result.means = [total / count for total in sums]
    return result


# MARK: - Attention and bigrams

def check_attention(figures, results, heard):
    windows = [window for recording in heard for window in recording.heads]
    print(f"attention-stats on {len(heard)} embedded recordings, {len(windows)} windows")
    expected = [analyses.head_means([window[layer] for window in windows]) for layer in range(len(windows[0]))]
    rows = engine.cells(results["heads"])
    for name in expected[0]:
        reference_values = np.concatenate([layer[name] for layer in expected])
        if name in ("distances", "offsets"):
            actual = results[f"encoder-{name}"]["values"]
        else:
            actual = [row[name] for row in rows]
        figures("attention", name, actual, reference_values)
    figures.report()


def check_bigrams(figures, auscult, default, weights, network):
    print(f"bigrams: {', '.join(PROMPTS)}")
    rows = engine.cells(auscult.analysis("bigrams", default, "-p", f"prompt={'|'.join(PROMPTS)}")["next"])
    special = weights.vocabulary.special
    prefix = [special[f"<|{name}|>"] for name in ("startoftranscript", "en", "transcribe")]
    # The tokens of a prompt are the tokenizer's, which decoding.py checks.
    prompts = [[int(token) for token in next(row["prompt_tokens"] for row in rows if row["prompt"] == prompt).split()]
               for prompt in PROMPTS]
    dimensions = weights.dimensions
    mel = reference.log_mel(torch.zeros(0), dimensions.n_mels, 2 * dimensions.n_audio_ctx)
    logits, probabilities = analyses.next_tokens(network, mel, prefix, prompts)
    for number, prompt in enumerate(PROMPTS):
        own = [row for row in rows if row["prompt"] == prompt]
        tokens = [int(row["token"]) for row in own]
        best = np.sort(logits[number])[::-1][:len(own)]
        # Logits in order, and each token's own: so tokens whose logits are equal may change places.
        figures("bigrams", f"'{prompt}' top {len(own)}", [row["logit"] for row in own], best)
        figures(
            "bigrams", f"'{prompt}' logits of the tokens", [row["logit"] for row in own], logits[number][tokens])
        figures("bigrams", f"'{prompt}' probabilities", [row["probability"] for row in own],
                   probabilities[number][tokens])
    figures.report()
