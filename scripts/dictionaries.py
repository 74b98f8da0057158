#!/usr/bin/env python3
"""scripts/dictionaries.py --model NAME=PATH … --out FOLDER DATA …: sparse dictionaries of released models, and their table.

Trains with the plugin `sae` on the residual stream after each encoder block of each model: BatchTopK; and after one
block the preset of 'Interpreting OpenAI's Whisper', FREUD's setting (TopK, 16 times the width, k 32), and BatchTopK
again with other seeds. Each dictionary is a folder in SAELens' layout below FOLDER, with what was measured beside it as
NAME.json. What is there is not trained again, and a training that was interrupted goes on, so the command may be given
again and again: --for SECONDS begins nothing new after that time. At the end the table is printed, as Markdown.

It needs the Python client (pip install ./clients/python), `auscultd`, and the plugins (make plugins).
"""

import argparse
import json
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

import auscult

# Seconds for the daemon's first answer: trainings go on in the background of a machine that does much else.
PATIENCE = 3600
VARIANTS = {
    "batchtopk": {"variant": "batchtopk", "k": 32},
    "post": {"preset": "post"},
    "freud": {"variant": "topk", "k": 32},
}
FREUD_EXPANSION = 16
# Two latents of different seeds are one feature where their directions have at least this cosine (AudioSAE's bound).
SAME_FEATURE = 0.7


@dataclass(frozen=True)
class Training:
    model: str
    path: str
    block: int
    kind: str
    seed: int = 0

    @property
    def name(self):
        return f"{self.model}-block{self.block}-{self.kind}" + (f"-seed{self.seed}" if self.seed else "")


def dimensions(client, model):
    """A model's sizes, however long the daemon takes to read its weights for the first time."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return client.model_info(model).dimensions
        except auscult.DeadlineExceeded:
            if time.monotonic() > end:
                raise


def trainings(models, client, block, seeds):
    """What is to be trained, what is asked for most often first."""
    everything = []
    for name, path in models:
        blocks = dimensions(client, path).n_audio_layer
        if not 0 <= block < blocks:
            sys.exit(f"--block {block}: {name} has the encoder blocks 0 to {blocks - 1}")
        first = Training(name, path, block, "batchtopk")
        everything.append([first])
        everything.append([Training(name, path, block, kind) for kind in ("post", "freud")])
        everything.append([replace(first, seed=seed) for seed in range(1, seeds)])
        everything.append([replace(first, block=other) for other in range(blocks) if other != block])
        everything.append([Training(name, path, block, "freud", seed) for seed in range(1, min(seeds, 2))])
    return [one for group in everything for one in group]


def train(client, training, data, out, passes, steps, kept):
    """Trains one dictionary and writes what was measured."""
    hook = f"encoder.blocks.{training.block}"
    folder = out / training.name
    arguments = {"evaluate": kept, "steps": steps, "passes": passes, "hook": hook, "out": str(folder)}
    arguments.update(VARIANTS[training.kind])
    if training.kind == "freud":
        arguments["latents"] = FREUD_EXPANSION * dimensions(client, training.path).n_audio_state
    began = time.monotonic()
    state = out / f"{training.name}.state"
    run = client.run(
        "sae", data, arguments=arguments, model=training.path, seed=training.seed, checkpoint=state, on_progress=Telling()
    )
    results = {one.output_id: one.value for one in run.wait()}
    config = json.loads((folder / "cfg.json").read_text())
    facts = {
        "training": vars(training),
        "arguments": arguments,
        "width": config["d_in"],
        "latents": config["d_sae"],
        "seconds": round(time.monotonic() - began, 1),
        "model_sha256": run.provenance.model_sha256,
        "recordings": run.provenance.recordings,
        "recordings_sha256": run.provenance.recordings_sha256,
        "summary": rows(results["summary"]),
        "splice": rows(results["splice"]) if "splice" in results else [],
        "method": results["method"],
    }
    (out / f"{training.name}.json").write_text(json.dumps(facts, indent=1) + "\n")
    state.unlink(missing_ok=True)


class Telling:
    """Says on standard error how far it has come, every ten seconds."""

    def __init__(self):
        self.began = self.last = time.monotonic()

    def __call__(self, progress):
        now = time.monotonic()
        if now - self.last >= 10:
            self.last = now
            print(f"  {now - self.began:.0f} s: {progress.done:.0f} of {progress.total:.0f} {progress.unit} {progress.label}",
                  file=sys.stderr, flush=True)  # fmt: skip


def rows(table):
    return [dict(zip(table.columns, row)) for row in table.rows]


def directions(folder):
    """The decoder's rows `[latents, width]` of a dictionary in SAELens' layout, each of length 1."""
    data = (folder / "sae_weights.safetensors").read_bytes()
    length = int.from_bytes(data[:8], "little")
    entry = json.loads(data[8 : 8 + length])["W_dec"]
    if entry["dtype"] != "F32":
        sys.exit(f"{folder}: W_dec is {entry['dtype']}, expected F32")
    start, end = (8 + length + offset for offset in entry["data_offsets"])
    matrix = np.frombuffer(data[start:end], "<f4").reshape(entry["shape"])
    return matrix / np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-12)


def saelens_difference(folder):
    """The largest |Δ| / max between what SAELens makes of random activations and the formula of plugins/sae/README.md in
    double precision: numpy's and PyTorch's products of float32 may agree to the bit, which would say nothing."""
    import torch
    from safetensors.numpy import load_file
    from sae_lens import SAE

    parts = {name: part.astype("float64") for name, part in load_file(folder / "sae_weights.safetensors").items()}
    x = (np.random.default_rng(0).standard_normal((256, parts["W_dec"].shape[1])) * 5).astype("float32")
    codes = np.maximum((x.astype("float64") - parts["b_dec"]) @ parts["W_enc"] + parts["b_enc"], 0)
    config = json.loads((folder / "cfg.json").read_text())
    if "threshold" in parts:
        codes = codes * (codes > parts["threshold"])
    if config["architecture"] == "topk":
        # Ties at the k-th are none in random numbers.
        codes = codes * (codes >= np.sort(codes, axis=1)[:, -config["k"]][:, None])
    expected = codes @ parts["W_dec"] + parts["b_dec"]
    with torch.no_grad():
        found = SAE.load_from_disk(str(folder))(torch.from_numpy(x)).numpy()
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def stability(folder, others):
    """How far the directions of a dictionary come again in those of other seeds.

    Returns the mean over the others of two figures: the share of directions that have a partner with a cosine of at
    least ``SAME_FEATURE``, and the median of the largest cosine; and the same share for random directions.
    """
    mine = directions(folder)
    best = [(mine @ directions(other).T).max(axis=1) for other in others]
    random = np.random.default_rng(0).standard_normal(mine.shape).astype("float32")
    random /= np.linalg.norm(random, axis=1, keepdims=True)
    chance = (random @ directions(others[0]).T).max(axis=1)
    return (
        float(np.mean([np.mean(one >= SAME_FEATURE) for one in best])),
        float(np.mean([np.median(one) for one in best])),
        float(np.mean(chance >= SAME_FEATURE)),
    )


COLUMNS = (
    "model", "block", "dictionary", "latents", "L0", "explained", "explained, last buffer", "dead",
    "cross-entropy: clean / spliced / zero", "word errors, %: clean / spliced / zero", "s",
)  # fmt: skip


def line(facts):
    summary = {one["of"]: one for one in facts["summary"]}
    kept, last = summary.get("kept recordings", {}), summary["last buffer"]
    splice = {one["condition"]: one for one in facts["splice"]}
    conditions = [splice[one] for one in ("clean", "spliced", "zero")] if splice else []
    training = facts["training"]
    return (
        training["model"], training["block"], training["kind"], facts["latents"], number(kept.get("l0"), 1),
        number(kept.get("explained_variance"), 3), number(last["explained_variance"], 3),
        number(100 * last["dead_share"], 1) + " %",
        " / ".join(number(one["cross_entropy"], 3) for one in conditions) or "–",
        " / ".join(number(100 * one["word_error_rate"], 1) for one in conditions) or "–",
        f"{facts['seconds']:.0f}",
    )  # fmt: skip


def number(value, digits):
    return "–" if value is None or value != value else f"{value:.{digits}f}"


def markdown(columns, lines):
    yield "| " + " | ".join(columns) + " |"
    yield "|" + "---|" * len(columns)
    for one in lines:
        yield "| " + " | ".join(str(cell) for cell in one) + " |"


def report(out):
    """The tables of all dictionaries below `out`, as Markdown."""
    everything = [json.loads(path.read_text()) for path in sorted(out.glob("*.json"))]
    order = list(VARIANTS)
    everything.sort(key=lambda facts: _place(facts, order))
    yield from markdown(COLUMNS, [line(facts) for facts in everything if not facts["training"]["seed"]])
    groups = {}
    for facts in everything:
        training = Training(**facts["training"])
        groups.setdefault(replace(training, seed=0), []).append(out / training.name)
    stable = [
        (one.model, one.block, one.kind, len(folders),
         *(number(value, 3) for value in stability(folders[0], folders[1:])))
        for one, folders in groups.items() if len(folders) > 1
    ]  # fmt: skip
    if stable:
        yield ""
        columns = (f"share with a partner of cosine ≥ {SAME_FEATURE}", "median of the largest cosine", "random directions")
        yield from markdown(("model", "block", "dictionary", "seeds", *columns), stable)


def _place(facts, order):
    training = facts["training"]
    return (training["model"], order.index(training["kind"]), training["block"], training["seed"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="*", metavar="DATA", help="recordings, folders, manifests; without, the table alone")
    parser.add_argument("--model", action="append", default=[], metavar="NAME=PATH", help="a model, and where it lies")
    parser.add_argument("--out", type=Path, required=True, help="the folder of the dictionaries")
    parser.add_argument("--block", type=int, default=2, help="the block of the presets and seeds (2)")
    parser.add_argument("--seeds", type=int, default=3, help="seeds of that block's BatchTopK (3)")
    parser.add_argument("--passes", type=float, default=4, help="how often each position is drawn, on average (4)")
    parser.add_argument("--steps", type=int, default=1500, help="the least steps of a training (1500)")
    parser.add_argument("--kept", type=int, default=24, help="recordings to judge by: of the first every second (24)")
    parser.add_argument("--for", type=float, default=float("inf"), dest="seconds", help="begin none after so many seconds")
    parser.add_argument("--saelens", action="store_true", help="open each with SAELens, and compare what it computes")
    parser.add_argument("--only", default="", help="only those with this in their name")
    options = parser.parse_args()
    models = [tuple(one.split("=", 1)) for one in options.model]
    if any(len(one) != 2 for one in models) or (options.data and not models):
        parser.error("name the models: --model tiny.en=.build/released/whisper-tiny.en")
    out = options.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    if options.data:
        with auscult.connect(timeout=PATIENCE) as client:
            todo = [one for one in trainings(models, client, options.block, options.seeds) if options.only in one.name]
            for one in todo:
                if (out / f"{one.name}.json").exists():
                    continue
                if time.monotonic() - began > options.seconds:
                    print(f"{one.name} and what follows is left for another call", file=sys.stderr)
                    break
                print(f"{one.name} …", file=sys.stderr, flush=True)
                train(client, one, options.data, out, options.passes, options.steps, options.kept)
    for text in report(out):
        print(text)
    if options.saelens:
        for folder in sorted(path.parent for path in out.glob("*/cfg.json")):
            print(f"SAELens opens {folder.name}: |Δ| / max {saelens_difference(folder):.1e}")


if __name__ == "__main__":
    try:
        main()
    except auscult.AuscultError as error:
        sys.exit(f"dictionaries.py: {error.message}")
