"""The three analyses that come as plugins, against analyses.py on openai-whisper's activations.

`auscult run` hears a folder made of demonstration clips (16 kHz WAV and a manifest); the reference hears the same
samples. Figures are held to 1e-4 relative. Of a probe, the standardisation and, at each hook point, the weights are
compared (the fit is strictly convex: there is one answer), and the accuracy on the test part that the split's rule
gives; what the plugin drew at random, its control labels and bootstrap, is not computed here.
"""

import json
import shutil

import numpy as np
import torch
from safetensors import safe_open

import analyses
import checkpoints
import recordings
import reference

BOUND = 1e-4
PROMPTS = ("the", "a cat", "one")
L2 = 0.1
MASK = (1 << 64) - 1


def check(auscult, work, default):
    """-> whether everything passed."""
    weights = checkpoints.default_model(default)
    network = reference.model(weights.dimensions, weights.state)
    rows = data_set(work / "plugins")
    heard = listen(network, weights, rows)
    passed = check_attention(auscult, work, default, rows, heard)
    passed &= check_probes(auscult, work, default, rows, heard)
    passed &= check_bigrams(auscult, work, default, weights, network)
    return passed


def data_set(folder):
    """Clips of speech with a manifest; -> its rows, with their samples."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    demo = recordings.ROOT / "models" / "demo"
    rows = []
    for line in (demo / "manifest.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        # One window each, and a speaker of its own: the long recording has several.
        if row["kind"] != "speech" or row["duration"] > 10:
            continue
        samples = recordings.read(demo / row["file"])
        name = row["file"].replace(".flac", ".wav")
        recordings.write(samples, folder / name)
        rows.append({key: row[key] for key in ("kind", "language", "voice", "phonemes", "words", "text")}
                    | {"file": name, "samples": samples})
    with open(folder / "manifest.jsonl", "w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps({key: value for key, value in row.items() if key != "samples"}) + "\n")
    return rows


def listen(network, weights, rows):
    """For each recording: its valid frames, and each encoder block's pattern and mean residual stream."""
    dimensions, result = weights.dimensions, []
    for row in rows:
        mel = reference.log_mel(torch.from_numpy(row["samples"]), dimensions.n_mels, 2 * dimensions.n_audio_ctx)
        values = reference.activations(network, mel, weights.prompt)
        frames = min(dimensions.n_audio_ctx, -(-len(row["samples"]) // 320))
        layers = range(dimensions.n_audio_layer)
        result.append((frames, [values[f"encoder.blocks.{i}.attn.pattern"] for i in layers],
                       [values[f"encoder.blocks.{i}"][:frames].astype(np.float64).mean(0) for i in layers]))
    return result


def run(auscult, plugin, default, *arguments, data=None):
    """The results of `auscult run`, by output."""
    audio = [data] if data else []
    document = json.loads(auscult("run", plugin, *audio, "--model", default, "--format", "json", *arguments))
    if document["problems"]:
        raise SystemExit(f"{plugin}: {document['problems']}")
    return {result["output"]: result for result in document["results"]}


def compare(name, actual, expected, bound=BOUND):
    """max |a − e| against max |e|. -> whether it passed; says so."""
    actual, expected = np.asarray(actual, np.float64), np.asarray(expected, np.float64)
    if actual.shape != expected.shape:
        print(f"  FAILED {name}: shape {list(actual.shape)}, expected {list(expected.shape)}")
        return False
    scale = np.abs(expected).max(initial=0) or 1
    error = np.abs(actual - expected).max(initial=0) / scale
    passed = bool(error <= bound)
    print(f"  {'' if passed else 'FAILED '}{name}: max |Δ| / max |reference| {error:.1e}")
    return passed


def check_attention(auscult, work, default, rows, heard):
    print(f"attention-stats on {len(rows)} recordings")
    table = run(auscult, "attention-stats", default, data=work / "plugins")["heads"]
    columns = table["columns"]
    cells = [dict(zip(columns, row)) for row in table["rows"]]
    expected = [analyses.attention([layers[i] for _, layers, _ in heard], [frames for frames, _, _ in heard])
                for i in range(len(heard[0][1]))]
    passed = True
    for name in expected[0]:
        passed &= compare(name, [row[name] for row in cells], np.concatenate([layer[name] for layer in expected]))
    return passed


def stirred(value):
    value = (value + 0x9E3779B97F4A7C15) & MASK
    value = ((value ^ value >> 30) * 0xBF58476D1CE4E5B9) & MASK
    value = ((value ^ value >> 27) * 0x94D049BB133111EB) & MASK
    return value ^ value >> 31


def key(seed, purpose, text):
    """FNV-1a over purpose, 0xff and text, stirred with the seed."""
    value = 0xCBF29CE484222325
    for byte in purpose.encode() + b"\xff" + text.encode():
        value = ((value ^ byte) * 0x100000001B3) & MASK
    return stirred(value ^ stirred(seed))


def parts(labels, speakers, seed):
    """0 train, 1 validation, 2 test: of each class's speakers, ordered by key, a fifth each to the latter two."""
    part = np.zeros(len(labels), int)
    for label in set(labels):
        names = {speaker for speaker, own in zip(speakers, labels) if own == label}
        order = sorted(names, key=lambda name: key(seed, "split", f"speaker {name}"))
        share = max(1, int(np.floor(0.2 * len(order) + 0.5)))
        place = {name: 2 if i < share else 1 if i < 2 * share else 0 for i, name in enumerate(order)}
        for row, (speaker, own) in enumerate(zip(speakers, labels)):
            if own == label:
                part[row] = place[speaker]
    return part


def check_probes(auscult, work, default, rows, heard):
    out = work / "probes.safetensors"
    labels = ["yes" if row["language"] == "fr" else "no" for row in rows]
    part = parts(labels, [row["voice"] for row in rows], seed=0)
    truth = np.array([label == "yes" for label in labels], int)
    train, test = part == 0, part == 2
    print(f"probes: is_french, {train.sum()} train, {(part == 1).sum()} validate, {test.sum()} test")
    results = run(auscult, "probes", default, "--seed", "0", "-p", "target=is_french", "-p", f"l2={L2}",
                  "-p", f"out={out}", data=work / "plugins")
    columns = results["layers"]["columns"]
    cells = [dict(zip(columns, row)) for row in results["layers"]["rows"]]
    passed = True
    with safe_open(out, framework="np") as file:
        for layer, row in enumerate(cells):
            hook = row["hook"]
            features = np.stack([means[layer] for _, _, means in heard]).astype(np.float32).astype(np.float64)
            scaled, mean, std = analyses.standardised(features, train)
            weight, bias = analyses.logistic(scaled[train], truth[train], 2, L2)
            logits = scaled[test] @ weight.T + bias
            passed &= compare(f"{hook} mean", file.get_tensor(f"{hook}.mean"), mean)
            passed &= compare(f"{hook} std", file.get_tensor(f"{hook}.std"), std)
            passed &= compare(f"{hook} weight", file.get_tensor(f"{hook}.weight"), weight)
            passed &= compare(f"{hook} bias", file.get_tensor(f"{hook}.bias"), bias)
            passed &= compare(f"{hook} accuracy", row["accuracy"], (logits.argmax(1) == truth[test]).mean())
            area = analyses.area_under_curve(logits[:, 1] - logits[:, 0], truth[test] == 1)
            passed &= compare(f"{hook} AUC", row["auc"], area)
    out.unlink()
    return passed


def check_bigrams(auscult, work, default, weights, network):
    print(f"bigrams: {', '.join(PROMPTS)}")
    table = run(auscult, "bigrams", default, "-p", f"prompt={'|'.join(PROMPTS)}")["next"]
    cells = [dict(zip(table["columns"], row)) for row in table["rows"]]
    special = weights.vocabulary.special
    prefix = [special[f"<|{name}|>"] for name in ("startoftranscript", "en", "transcribe")]
    # The tokens of a prompt are the tokenizer's, which decoding.py checks.
    prompts = [[int(token) for token in next(row["prompt_tokens"] for row in cells if row["prompt"] == prompt).split()]
               for prompt in PROMPTS]
    dimensions = weights.dimensions
    mel = reference.log_mel(torch.zeros(0), dimensions.n_mels, 2 * dimensions.n_audio_ctx)
    logits, probabilities = analyses.next_tokens(network, mel, prefix, prompts)
    passed = True
    for number, prompt in enumerate(PROMPTS):
        own = [row for row in cells if row["prompt"] == prompt]
        tokens = [int(row["token"]) for row in own]
        best = np.sort(logits[number])[::-1][:len(own)]
        # Logits in order, and each token's own: so tokens whose logits are equal may change places.
        passed &= compare(f"'{prompt}' top {len(own)}", [row["logit"] for row in own], best)
        passed &= compare(f"'{prompt}' logits of the tokens", [row["logit"] for row in own], logits[number][tokens])
        passed &= compare(
            f"'{prompt}' probabilities", [row["probability"] for row in own], probabilities[number][tokens])
    return passed
