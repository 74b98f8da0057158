"""Recordings to compare on, as 16 kHz mono 16-bit WAV files: no resampler stands between the two sides."""

import os
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import resample_poly

ROOT = Path(__file__).resolve().parents[2]
#: A folder of recordings that the repository does not carry; what is absent there is left out.
SHARED = Path(os.environ.get("AUSCULT_RECORDINGS", ROOT.parent / "shared" / "audio"))
RATE = 16000


def found():
    """Real recordings: beside the repository where they are there, and its own demonstration clips."""
    shared = [SHARED / name for name in (
        "speech/jfk.flac", "speech/3436-172162-0000.ogg", "sounds/robin.ogg", "sounds/trumpet.ogg",
        "sounds/strings.ogg", "digits/7_jackson_32.wav")]
    return [path for path in shared if path.exists()] + demonstration()[:4]


def demonstration():
    """The clips that are embedded in the program."""
    return sorted((ROOT / "models" / "demo").glob("*.flac"))


def read(path):
    """float32 mono at 16 kHz, each sample a multiple of 2^-15."""
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    samples = samples.mean(axis=1)
    if rate != RATE:
        samples = resample_poly(samples, RATE, rate)
    return quantised(samples)


def quantised(samples):
    return (np.clip(np.round(samples * 32768), -32768, 32767) / 32768).astype(np.float32)


def write(samples, path):
    soundfile.write(path, (samples * 32768).astype(np.int16), RATE, subtype="PCM_16")
    return path


def synthetic():
    """Name -> samples that recordings rarely are: silence, full scale, an impulse, one sample."""
    generator, time = np.random.default_rng(0), np.arange(5 * RATE) / RATE
    impulse = np.zeros(RATE)
    impulse[RATE // 2] = 1
    signals = {"silence": np.zeros(3 * RATE), "noise": generator.uniform(-1, 1, 5 * RATE),
               "sweep": np.sin(2 * np.pi * (50 + 780 * time) * time), "faint": 3e-5 * np.sin(2 * np.pi * 440 * time),
               "impulse": impulse, "one sample": np.array([0.5])}
    return {name: quantised(values) for name, values in signals.items()}


def speech():
    """One recording of speech, `(name, samples)`."""
    paths = found()
    if not paths:
        raise SystemExit(f"no recording: neither {SHARED} nor models/demo has one")
    return paths[0].name, read(paths[0])
