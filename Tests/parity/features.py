"""`auscult run features demo:` against numpy on openai-whisper's activations, end to end.

Neurons of the encoder, its residual stream, and neurons of the decoder on the tokens that it writes itself; and, made of
the residual stream, a dictionary's latents and a probe's logits, whose files are written here. Both sides of each feature:
the largest values and the smallest.
"""

import base64
import json

import numpy as np
import torch
from safetensors.numpy import save_file

import checkpoints
import engine
import plugins
import recordings
import reference
import scanning

NEURONS, STREAM, DECODER = "encoder.blocks.2.mlp.1", "encoder.blocks.1", "decoder.blocks.0.mlp.1"
TOP, RESERVOIR, LATENTS, CLASSES = 20, 4, 48, 5


class Tables:
    """Tables of a run, whose pieces are put together."""

    def __init__(self, auscult, default, *arguments):
        said = auscult("run", "features", "demo:", *engine.model(default), "-p", "emit=all", "-p", "sides=both", "-p",
                       f"k={TOP}", "-p", f"reservoir={RESERVOIR}", "-p", "kinds=", *arguments, "--format", "json")
        document = json.loads(said)
        if document["problems"]:
            raise SystemExit(f"features: {document['problems']}")
        self.tables = {}
        for result in document["results"]:
            if "columns" in result:
                self.tables.setdefault(result["output"], []).extend(engine.cells(result))
        self.kept = {}

    def rows(self, name, **wanted):
        return [row for row in self.tables.get(name, []) if all(row[column] == cell for column, cell in wanted.items())]

    def by_feature(self, name, hook, side):
        """Rows by the feature's number, in their order."""
        if (name, hook, side) not in self.kept:
            rows = self.kept[name, hook, side] = {}
            for row in self.rows(name, hook=hook, side=side):
                rows.setdefault(row["feature"], []).append(row)
        return self.kept[name, hook, side]

    @staticmethod
    def curve(row):
        return np.frombuffer(base64.b64decode(row["curve"]), "<f2").astype(np.float32)


class Heard:
    """The reference's activations of every recording, valid positions alone."""

    def __init__(self, auscult, default, weights, work):
        network = reference.model(weights.dimensions, weights.state)
        self.rows = {hook: [] for hook in (NEURONS, STREAM, DECODER)}
        self.positions = {hook: [] for hook in self.rows}
        self.tokens = []
        context, length = weights.dimensions.n_audio_ctx, weights.dimensions.n_text_ctx
        lines = (recordings.ROOT / "models" / "demo" / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
        for line, (samples, _) in zip(map(json.loads, lines), plugins.demonstration()):
            name = line["file"].rsplit(".", 1)[0]
            # What the decoder writes is checked in decoding.py; here it reads the same.
            said = json.loads(auscult("trace", f"demo:{name}", *engine.model(default), "--hooks", DECODER, "--out",
                                      work / "trace.safetensors", "--format", "json"))
            self.tokens.append(said["tokens"])
            own = {hook: ([], []) for hook in self.rows}
            for window, start in enumerate(range(0, len(samples), 320 * context)):
                part = samples[start:start + 320 * context]
                mel = reference.log_mel(torch.from_numpy(part), weights.dimensions.n_mels, 2 * context)
                values = reference.activations(network, mel, said["tokens"][window])
                frames = min(context, -(-len(part) // 320))
                for hook, (rows, positions) in own.items():
                    # Tokens of the next window count on by the length of the decoder's context.
                    count, step = (len(values[hook]), length) if hook == DECODER else (frames, context)
                    rows.append(values[hook][:count])
                    positions.append(window * step + np.arange(count))
            for hook, (rows, positions) in own.items():
                self.rows[hook].append(np.concatenate(rows))
                self.positions[hook].append(np.concatenate(positions))

    def data(self, hook, features=None):
        """Of a hook point, or of what `features` makes of [positions, values]."""
        rows = self.rows[hook] if features is None else [features(rows) for rows in self.rows[hook]]
        return scanning.Data(rows, self.positions[hook])


def check(auscult, work, default):
    """-> whether everything passed."""
    weights = checkpoints.default_model(default)
    heard = Heard(auscult, default, weights, work)
    print(f"features of {len(heard.tokens)} embedded recordings, {sum(map(len, heard.tokens))} windows, both sides")
    tables = Tables(auscult, default, "-p", f"hooks={NEURONS},{STREAM},{DECODER}")
    passed = check_tokens(tables, heard, weights)
    for hook in (NEURONS, STREAM, DECODER):
        passed &= scanning.check(tables, hook, heard.data(hook), TOP, RESERVOIR)
    for what, make in (("dictionary", dictionary), ("directions", directions)):
        path, features, names = make(work, heard.rows[STREAM])
        made = Tables(auscult, default, "-p", f"{what}={path}")
        if [row["name"] for row in made.rows("features")] != names:
            print(f"  FAILED {what}: the features have other names than {names[0]} …")
            passed = False
        print(f"  of the {what}:")
        passed &= scanning.check(made, STREAM, heard.data(STREAM, features), TOP, RESERVOIR)
    return bool(passed)


def check_tokens(tables, heard, weights):
    """Whether the tokens that are marked are those that were read: each at its position."""
    text = {rank: token.decode(errors="replace") for token, rank in weights.vocabulary.ranks.items()}
    text |= {token: name for name, token in weights.vocabulary.special.items()}
    passed = True
    for recording, windows in enumerate(heard.tokens):
        rows = [row for row in tables.rows("sounds", recording=recording) if row["kind"] == "token"]
        positions = heard.positions[DECODER][recording]
        expected = [(position, position + 1, text[token])
                    for position, token in zip(positions, (token for window in windows for token in window))]
        if [(row["start"], row["end"], row["label"]) for row in rows] != expected:
            print(f"  FAILED tokens of recording {recording}: {rows[:3]} …, expected {expected[:3]} …")
            passed = False
    print(f"  {sum(len(window) for windows in heard.tokens for window in windows)} tokens at their positions")
    return passed


def dictionary(work, rows):
    """A dictionary of random directions, in SAELens' layout: its folder, its codes, their names."""
    folder, width = work / "dictionary", rows[0].shape[1]
    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(5)
    unit = generator.standard_normal((width, LATENTS))
    encoder = (unit / np.linalg.norm(unit, axis=0)).astype(np.float32)
    bias = generator.uniform(-3, 1, LATENTS).astype(np.float32)
    centre = np.concatenate(rows).mean(0).astype(np.float32)
    save_file({"W_enc": encoder, "W_dec": np.ascontiguousarray(encoder.T), "b_enc": bias, "b_dec": centre},
              folder / "sae_weights.safetensors")
    (folder / "cfg.json").write_text(json.dumps({
        "architecture": "standard", "d_in": width, "d_sae": LATENTS, "dtype": "float32", "apply_b_dec_to_input": True,
        "normalize_activations": "none", "metadata": {"hook_name": STREAM}}))

    def codes(x):
        products = (x.astype(np.float64) - centre) @ encoder.astype(np.float64) + bias
        return np.maximum(products, 0).astype(np.float32)

    return folder, codes, [f"latent {number}" for number in range(LATENTS)]


def directions(work, rows):
    """A classifier's file as the plugin `probes` writes it: its path, its logits, the classes."""
    path, width = work / "probes.safetensors", rows[0].shape[1]
    generator, all_rows = np.random.default_rng(6), np.concatenate(rows).astype(np.float64)
    weight = generator.standard_normal((CLASSES, width)).astype(np.float32)
    bias = generator.standard_normal(CLASSES).astype(np.float32)
    mean, deviation = (values.astype(np.float32) for values in (all_rows.mean(0), all_rows.std(0)))
    names = [f"class {number}" for number in range(CLASSES)]
    save_file({f"{STREAM}.weight": weight, f"{STREAM}.bias": bias, f"{STREAM}.mean": mean, f"{STREAM}.std": deviation},
              path, metadata={"format": "auscult-probes/1", "classes": json.dumps(names)})

    def logits(x):
        standardised = (x.astype(np.float64) - mean) / deviation
        return (standardised @ weight.T.astype(np.float64) + bias).astype(np.float32)

    return path, logits, names
