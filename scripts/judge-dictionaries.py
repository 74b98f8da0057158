#!/usr/bin/env python3
"""scripts/judge-dictionaries.py --model NAME=PATH … --out FOLDER --learnt MANIFEST KEPT: what dictionaries keep.

FOLDER is what `dictionaries.py` wrote, KEPT a manifest of recordings with texts that none was trained on, --learnt one of
recordings that all were. Of each dictionary it prints, as Markdown: explained variance, L0 and the share of latents without a
code on both; and of KEPT the cross-entropy of the text and the word errors, clean, with the reconstruction in the activation's
place on the frames of sound, and with zeros there (cross-entropy alone). The plugin `sae` measures the same at the end of a training where
its recordings have texts, with temperatures and all; here words are decoded greedily, which takes a tenth of the time.

It needs the Python client (pip install ./clients/python), and `auscultd`.
"""

import argparse
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import auscult

from dictionaries import PATIENCE, markdown, number


@dataclass(frozen=True)
class Recording:
    path: str
    text: str
    language: str


def recordings(manifest):
    """The manifest's recordings; paths are relative to it."""
    rows = [json.loads(line) for line in manifest.read_text().splitlines() if line]
    return [Recording(str(manifest.parent / row["path"]), row.get("text", ""), row.get("language", "en")) for row in rows]


class Dictionary:
    """A folder in SAELens' layout, by the formula of plugins/sae/README.md."""

    def __init__(self, folder):
        config = json.loads((folder / "cfg.json").read_text())
        self.folder, self.k = folder, config.get("k") if config["architecture"] == "topk" else None
        data = (folder / "sae_weights.safetensors").read_bytes()
        length = int.from_bytes(data[:8], "little")
        header = {name: entry for name, entry in json.loads(data[8 : 8 + length]).items() if name != "__metadata__"}
        parts = {}
        for name, entry in header.items():
            start, end = (8 + length + offset for offset in entry["data_offsets"])
            parts[name] = np.frombuffer(data[start:end], "<f4").reshape(entry["shape"])
        self.encoder, self.decoder = parts["W_enc"], parts["W_dec"]
        self.encoder_bias, self.decoder_bias = parts["b_enc"], parts["b_dec"]
        self.threshold = parts.get("threshold")
        self.latents = len(self.decoder)

    def codes(self, x):
        codes = np.maximum((x - self.decoder_bias) @ self.encoder + self.encoder_bias, 0)
        if self.threshold is not None:
            codes = codes * (codes > self.threshold)
        if self.k is not None:
            least = np.partition(codes, -self.k, axis=1)[:, -self.k]
            codes = codes * (codes >= least[:, None])
        return codes

    def kept(self, x):
        """-> explained variance, L0, share of latents without a code."""
        codes = self.codes(x)
        rest = (x - codes @ self.decoder - self.decoder_bias).astype("float64")
        about = x - x.mean(axis=0, dtype="float64")
        active = codes > 0
        return 1 - (rest**2).sum() / (about**2).sum(), float(active.sum(axis=1).mean()), float(np.mean(~active.any(axis=0)))


def words(text):
    return re.sub(r"[^\w' ]", " ", text.lower()).replace("'", "").split()


def errors(expected, found):
    """The word errors of a transcript: edits."""
    row = list(range(len(found) + 1))
    for i, one in enumerate(expected, 1):
        before, row[0] = row[0], i
        for j, other in enumerate(found, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (one != other))
    return row[-1]


class Reader:
    """What one model writes, and how probable a text is to it."""

    def __init__(self, client, model):
        self.client, self.model = client, model
        self._traces = {}

    def activations(self, several, hook):
        """The frames of sound of recordings, one behind another."""
        for one in several:
            if one not in self._traces:
                trace = self.client.trace(one.path, ["encoder.blocks.*"], model=self.model)
                self._traces[one] = {name: np.asarray(trace[name], "float32") for name in trace}
        return np.concatenate([self._traces[one][hook] for one in several])

    def frames(self, one, hook):
        return len(self._traces[one][hook])

    def cross_entropy(self, one, changes):
        """-> the sum over the text's tokens in nats, and how many there are."""
        trace = self.client.trace(
            one.path, ["decoder.logits"], model=self.model, text=" " + one.text, language=one.language, interventions=changes
        )
        logits, tokens = np.asarray(trace["decoder.logits"], "float64"), trace.summary.tokens[0]
        # Special tokens, from the end of text on, have the highest numbers; those before the text are its prompt.
        first = next(place for place, token in enumerate(tokens) if token < FIRST_SPECIAL)
        rows = logits[first - 1 : len(tokens) - 1]
        rows = rows - rows.max(axis=1, keepdims=True)
        chosen = rows[np.arange(len(rows)), tokens[first:]]
        return float((np.log(np.exp(rows).sum(axis=1)) - chosen).sum()), len(rows)

    def word_errors(self, one, changes):
        """-> how many, and of how many words."""
        written = self.client.transcribe(
            one.path, model=self.model, temperature=0, language=one.language, interventions=changes
        )
        expected = words(one.text)
        return errors(expected, words(written.text)), len(expected)


# Token of the end of text: 50256 where the model knows English alone, 50257 else, and above it no token of a text.
FIRST_SPECIAL = 50256


def judge(reader, dictionary, hook, learnt, kept, clean):
    """A line of the table. `clean` has what holds for every dictionary of a model, or of a hook point, as it is found."""
    texts = [one for one in kept if one.text]
    quality = [dictionary.kept(reader.activations(several, hook)) for several in (kept, learnt)]

    def measured(measure, condition, change):
        key = (measure.__name__, condition, hook if condition == "zero" else "")
        if condition == "spliced" or key not in clean:
            sums = np.array([measure(one, change(reader.frames(one, hook))) for one in texts]).sum(axis=0)
            clean[key] = sums[0] / sums[1]
        return clean[key]

    conditions = {
        "clean": lambda frames: [],
        "spliced": lambda frames: [f'{hook} @frames 0:{frames} = splice "{dictionary.folder}"'],
        "zero": lambda frames: [f"{hook} @frames 0:{frames} = zero"],
    }
    entropies = [measured(reader.cross_entropy, *one) for one in conditions.items()]
    rates = [100 * measured(reader.word_errors, *one) for one in conditions.items() if one[0] != "zero"]
    return (
        number(quality[0][0], 3), number(quality[1][0], 3), number(quality[0][1], 1), number(100 * quality[0][2], 1) + " %",
        " / ".join(number(one, 3) for one in entropies), " / ".join(number(one, 1) for one in rates),
    )  # fmt: skip


COLUMNS = (
    "dictionary", "latents", "explained, kept", "explained, learnt from", "L0", "silent on the kept",
    "cross-entropy: clean / spliced / zero", "word errors, %: clean / spliced",
)  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kept", type=Path, help="a manifest (.jsonl) of recordings that no dictionary was trained on")
    parser.add_argument("--learnt", type=Path, required=True, help="a manifest of recordings that all were trained on")
    parser.add_argument("--model", action="append", required=True, metavar="NAME=PATH", help="a model, and where it lies")
    parser.add_argument("--out", type=Path, required=True, help="the folder of the dictionaries")
    parser.add_argument("--only", default="", help="only those with this in their name")
    options = parser.parse_args()
    kept, learnt = recordings(options.kept.resolve()), recordings(options.learnt.resolve())
    lines = []
    with auscult.connect(timeout=PATIENCE) as client:
        for name, model in (one.split("=", 1) for one in options.model):
            reader, clean = Reader(client, model), {}
            for folder in sorted(path.parent for path in options.out.resolve().glob(f"{name}-block*/cfg.json")):
                if options.only not in folder.name:
                    continue
                hook = "encoder.blocks." + re.match(r".*-block(\d+)-", folder.name)[1]
                dictionary = Dictionary(folder)
                lines.append((folder.name, dictionary.latents, *judge(reader, dictionary, hook, learnt, kept, clean)))
                print(" ".join(map(str, lines[-1])), file=sys.stderr, flush=True)
    for text in markdown(COLUMNS, lines):
        print(text)


if __name__ == "__main__":
    try:
        main()
    except auscult.AuscultError as error:
        sys.exit(f"judge-dictionaries.py: {error.message}")
