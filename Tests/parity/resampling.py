#!/usr/bin/env python3
"""What it makes of the log-mel that openai-whisper resamples with ffmpeg, and auscult with soxr.

    Tests/parity/resampling.py RECORDING … --model FOLDER [--auscult PROGRAM]

Of the first half minute of each recording auscult traces the log-mel and the encoder's output, and writes the transcript: of the file,
and of what ffmpeg makes of it as openai-whisper calls it, at 16 kHz. Needs ffmpeg.
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile

import engine
import recordings

HOOKS = ["log_mel", "encoder.ln_post"]


def by_ffmpeg(path):
    """As openai-whisper's load_audio() asks."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", path, "-f", "s16le", "-ac", "1", "-acodec", "pcm_s16le",
               "-ar", str(recordings.RATE), "-"]
    done = subprocess.run(command, capture_output=True, check=True)
    return np.frombuffer(done.stdout, np.int16)


def heard(auscult, model, path, work):
    """The traces, and the tokens that are written."""
    trace = dict(auscult.trace(path, model, HOOKS, [], work / "trace.safetensors", frames="valid"))
    text = auscult("transcribe", path, "--model", model, "--language", "en", "--temperature", "0", "--format", "json")
    return trace, [token for segment in json.loads(text)[0]["segments"] for token in segment["tokens"]]


def compare(auscult, model, path, work):
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True, frames=30 * soundfile.info(path).samplerate)
    soundfile.write(work / "file.wav", samples, rate, subtype="FLOAT")
    soundfile.write(work / "ffmpeg.wav", by_ffmpeg(work / "file.wav"), recordings.RATE, subtype="PCM_16")
    (ours, mine), (others, theirs) = (heard(auscult, model, work / name, work) for name in ("file.wav", "ffmpeg.wav"))
    cells = [path.name, f"{rate / 1000:g} kHz"]
    for hook in HOOKS:
        # One resampler may give a sample more.
        both = [trace[hook].astype(np.float64) for trace in (ours, others)]
        shape = tuple(slice(0, min(lengths)) for lengths in zip(*(array.shape for array in both)))
        a, b = (array[shape] for array in both)
        cells.append(f"{np.linalg.norm(a - b) / np.linalg.norm(b):.1e}")
        if hook == "log_mel":
            share = np.square(a - b).sum(1)
            cells += [f"{np.median(np.abs(a - b)):.1e}", f"{share[len(share) * 3 // 4:].sum() / share.sum():.0%}"]
    return [*cells, "equal" if mine == theirs else "other"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recordings", nargs="+", type=Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--auscult", default=recordings.ROOT / ".build" / "release" / "auscult")
    options = parser.parse_args()
    auscult = engine.Auscult(options.auscult)
    print("| recording | rate | log-mel, relative L2 | median \\|Δ\\| | in the highest quarter of bands "
          "| encoder's output, relative L2 | tokens |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as work:
        for path in options.recordings:
            print("| " + " | ".join(compare(auscult, options.model, path, Path(work))) + " |", flush=True)


if __name__ == "__main__":
    main()
