#!/usr/bin/env python3
"""How fast a data set is scanned for what its neurons listen to, beside PyTorch with hooks: `make bench BENCH=scan`.

    Tests/speed/scan.py [--auscult PROGRAM] [--clips 40] [--rounds 5] [--data MANIFEST] [--memory 100,1000,10000]
                        [--json FILE]

A Whisper of tiny's dimensions with random weights hears clips of two seconds, and the best example of each of its
4 × 1,536 encoder neurons is kept. Three ways, one after the other in every round, on the same clips:

- auscult: `auscult run features`, the model's whole context of 30 s, as the model was made;
- auscult, --context auto: the context cut to the clip, which is not quite the same (the difference is printed);
- torch: openai-whisper's encoder with forward hooks on the four `mlp[1]`, valid frames, and the same top 20 a neuron.

A round's time has everything: reading files, log-mel, the model, the search, the results. The daemon runs already and
has the model in memory, as PyTorch has. With --memory, the plugin's process is watched as the clips become more.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import soundfile
import torch
import whisper
from whisper.model import Whisper

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests" / "parity"))
import checkpoints  # noqa: E402  (the parity harness's)
import layouts  # noqa: E402
import peers  # noqa: E402

CLIP = 32_000
KEPT = 20
FEATURES = ["run", "features", "-p", f"k={KEPT}"]


class Auscult:
    """The program, with a daemon of its own that has the model in memory."""

    def __init__(self, program, folder):
        self.program = str(program)
        # Every round hears the same clips, and what is measured is hearing them.
        self.environment = os.environ | {"AUSCULT_SOCKET": str(folder / "auscult.sock"), "AUSCULTD_KEPT_ACTIVATIONS": "0"}

    def __call__(self, *arguments):
        done = subprocess.run([self.program, *map(str, arguments)], capture_output=True, text=True, env=self.environment)
        if done.returncode:
            raise SystemExit(f"auscult {' '.join(map(str, arguments))}\nfailed with {done.returncode}: {done.stderr.strip()}")
        return done.stdout


class TorchScan:
    """openai-whisper's encoder with hooks."""

    def __init__(self, weights):
        self.model = Whisper(weights.dimensions)
        self.model.load_state_dict({name: torch.from_numpy(value) for name, value in weights.state.items()})
        self.model.eval()
        self.frames = 0
        self.found = [[] for _ in self.model.encoder.blocks]
        for block, found in zip(self.model.encoder.blocks, self.found):
            block.mlp[1].register_forward_hook(lambda _, __, output, found=found: found.append(
                output[0, :self.frames].max(dim=0)))

    @torch.inference_mode()
    def __call__(self, paths):
        for found in self.found:
            found.clear()
        for path in paths:
            samples = peers.recording(path)
            self.frames = -(-len(samples) // 320)
            mel = whisper.log_mel_spectrogram(whisper.pad_or_trim(samples), self.model.dims.n_mels)
            self.model.encoder(mel[None])
        return [torch.stack([values for values, _ in found]).topk(min(KEPT, len(paths)), dim=0) for found in self.found]


def timed(work):
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def clips(options, folder, count):
    """Paths of clips of two seconds: of --data, or cut from the embedded recordings and varied in level."""
    if options.data:
        base = options.data.parent
        lines = options.data.read_text().splitlines()[:count]
        return [str((base / json.loads(line)["path"]).resolve()) for line in lines]
    sources = sorted((ROOT / "models" / "demo").glob("*.flac"))
    draw, paths = np.random.default_rng(0), []
    while len(paths) < count:
        samples, _ = soundfile.read(sources[len(paths) % len(sources)], dtype="float32")
        at = draw.integers(0, max(1, len(samples) - CLIP))
        cut = samples[at:at + CLIP] * draw.uniform(0.3, 1)
        paths.append(str(folder / f"clip-{len(paths):05}.wav"))
        soundfile.write(paths[-1], np.pad(cut, (0, CLIP - len(cut))), 16_000, subtype="PCM_16")
    return paths


def manifest(paths, path):
    path.write_text("".join(json.dumps({"path": one}) + "\n" for one in paths))
    return path


def peak_gflops():
    """A square matrix product in PyTorch, the best of ten."""
    a, b = torch.rand(2048, 2048), torch.rand(2048, 2048)
    return 2 * 2048**3 / min(timed(lambda: a @ b)[0] for _ in range(10)) / 1e9


def same_maxima(json_text, torch_top):
    """The largest difference between the two searches' best values, as a share of the largest one of its layer.

    The tables have them by hook and feature. A value near zero would make nothing of rounding look large.
    """
    ours = {}
    for result in json.loads(json_text)["results"]:
        if result["output"] == "examples":
            at = {name: index for index, name in enumerate(result["columns"])}
            for row in result["rows"]:
                if row[at["rank"]] == 1 and row[at["side"]] == "+":
                    ours[row[at["hook"]], int(row[at["feature"]])] = row[at["value"]]
    worst = 0
    for layer, top in enumerate(torch_top):
        best = top.values[0].tolist()
        for feature, value in enumerate(best):
            worst = max(worst, abs(ours[f"encoder.blocks.{layer}.mlp.1", feature] - value) / max(best))
    return worst


def speed(auscult, options, folder):
    weights = checkpoints.tiny()
    layouts.write_openai(folder / "tiny.pt", weights.dimensions, weights.state)
    paths = clips(options, folder, options.clips)
    data = manifest(paths, folder / "data.jsonl")
    scan = TorchScan(weights)
    command = [*FEATURES, data, "--model", folder / "tiny.pt", "--format", "json"]
    ways = {"auscult": lambda: auscult(*command),
            "auscult, --context auto": lambda: auscult(*command, "--context", "auto"),
            "torch": lambda: scan(paths)}
    scan(paths[:4])
    auscult(*FEATURES, manifest(paths[:4], folder / "warm.jsonl"), "--model", folder / "tiny.pt", "--format", "json")
    rates = {name: [] for name in ways}
    for _ in range(options.rounds):
        for name, work in ways.items():
            rates[name].append(len(paths) / timed(work)[0])
    every = auscult(*command, "-p", "emit=all")
    machine = (f"{peak_gflops():.0f} GFLOP/s in a product of PyTorch's with {torch.get_num_threads()} threads; "
               f"load {os.getloadavg()[0]:.1f}; {len(paths)} clips, {options.rounds} rounds")
    print(f"machine: {machine}")
    for name, rate in rates.items():
        ratios = sorted(a / b for a, b in zip(rate, rates["torch"]))
        print(f"{name:26} {statistics.median(rate):7.2f} clips/s  ({min(rate):.2f}–{max(rate):.2f})   "
              f"{statistics.median(ratios):5.2f} × torch ({ratios[0]:.2f}–{ratios[-1]:.2f})")
    apart = f"best values, auscult's and torch's: at most {same_maxima(every, scan(paths)):.1e} of a layer's largest apart"
    print(apart)
    return {"title": "scan: every encoder neuron of tiny's dimensions, random weights, clips of two seconds",
            "remarks": [machine, apart], "unit": "clips/s",
            "rows": [{"name": name, "samples": rate, "reference": "torch"} for name, rate in rates.items()]}


def memory(auscult, options, folder, counts):
    """The plugin's largest resident memory as the recordings become more; the default model, context auto."""
    paths, rows = clips(options, folder, max(counts)), []
    for count in counts:
        data = manifest(paths[:count], folder / f"memory-{count}.jsonl")
        peak, done = [0], threading.Event()
        watch = threading.Thread(target=lambda: watch_plugin(peak, done))
        watch.start()
        seconds, text = timed(lambda: auscult(*FEATURES, data, "--context", "auto", "--format", "json"))
        done.set()
        watch.join()
        run = json.loads(text)["run"]
        print(f"{count:7,} clips: plugin {peak[0] / 1024:6.1f} MB at most, {seconds:.1f} s "
              f"(engine {run['engine_seconds']:.1f}, plugin {run['plugin_seconds']:.1f})")
        rows.append({"name": f"{count:,} clips", "samples": [peak[0] / 1024], "note": f"{seconds:.1f} s"})
    return {"title": "scan: the plugin's largest memory as recordings become more", "unit": "MB", "rows": rows,
            "remarks": ["The default model, --context auto."]}


def watch_plugin(peak, done):
    while not done.wait(0.05):
        for status in Path("/proc").glob("[0-9]*/status"):
            try:
                text = status.read_text()
            except OSError:
                continue
            if text.startswith("Name:\tauscult-plugin"):
                line = next((line for line in text.splitlines() if line.startswith("VmHWM")), "x 0")
                peak[0] = max(peak[0], int(line.split()[1]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--auscult", type=Path, default=ROOT / ".build" / "release" / "auscult")
    parser.add_argument("--clips", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--data", type=Path, help="a manifest of clips of two seconds, in place of the embedded ones")
    parser.add_argument("--memory", default="", help="numbers of clips to watch the plugin's memory at")
    parser.add_argument("--json", type=Path, help="write what was measured to this file as well")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="auscult-") as folder:
        auscult = Auscult(options.auscult.resolve(), Path(folder))
        try:
            tables = [speed(auscult, options, Path(folder))]
            counts = [int(count) for count in options.memory.split(",") if count]
            if counts:
                tables.append(memory(auscult, options, Path(folder), counts))
            if options.json:
                options.json.write_text(json.dumps(tables))
        finally:
            auscult("stop")


if __name__ == "__main__":
    main()
