"""What is not speech: coloured noise, hum, tones, music-like chords, clicks and sweeps, all computed."""

import numpy as np
import torch

from .features import SAMPLE_RATE

KINDS = ("noise", "noise", "surf", "hum", "melody", "melody and drums", "clicks", "sweep")
_SCALE = (0, 2, 4, 5, 7, 9, 11, 12)  # a major scale, in semitones


def waveform(rng: np.random.Generator, kind: str, samples: int) -> np.ndarray:
    """float32 [samples] at 16 kHz, peak 0.3."""
    time = np.arange(samples) / SAMPLE_RATE
    if kind in ("noise", "surf"):
        wave = _coloured(rng, samples)
        if kind == "surf":
            wave = wave * (1 + 0.8 * np.sin(2 * np.pi * rng.uniform(0.2, 4) * time + rng.uniform(0, 6)))
    elif kind == "hum":
        mains = rng.choice([50, 60, 100, 120]) * rng.uniform(0.98, 1.02)
        wave = sum(rng.uniform(0, 1) / h * np.sin(2 * np.pi * mains * h * time) for h in range(1, 12))
    elif kind.startswith("melody"):
        wave = _melody(rng, samples, drums="drums" in kind)
    elif kind == "clicks":
        wave = np.zeros(samples)
        for at in rng.integers(0, max(1, samples - 2000), rng.integers(3, 40)):
            length = min(2000, samples - at)
            decay = np.exp(-np.arange(length) / rng.uniform(5, 300))
            wave[at:at + length] += rng.standard_normal(length) * decay * rng.uniform(0.1, 1)
    elif kind == "sweep":
        octaves = np.sin(2 * np.pi * rng.uniform(0.05, 2) * time) * rng.uniform(0, 1.5)
        phase = 2 * np.pi * np.cumsum(rng.uniform(100, 3000) * 2**octaves) / SAMPLE_RATE
        wave = np.sin(phase) + rng.uniform(0, 0.3) * rng.standard_normal(samples)
    else:
        raise ValueError(f"no such kind of noise: {kind!r}; expected one of {sorted(set(KINDS))}")
    return (wave / (np.abs(wave).max() + 1e-9) * 0.3).astype(np.float32)


def _coloured(rng, samples):
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    frequency = np.maximum(np.fft.rfftfreq(samples, 1 / SAMPLE_RATE), 20)
    return np.fft.irfft(spectrum * frequency ** -rng.uniform(0, 1.3), samples)


def _melody(rng, samples, drums):
    wave, at = np.zeros(samples), 0
    beat, base = rng.uniform(0.12, 0.5), rng.uniform(110, 440)
    while at < samples:
        length = min(samples - at, int(SAMPLE_RATE * beat * rng.choice([1, 1, 2, 3])))
        time = np.arange(length) / SAMPLE_RATE
        for _ in range(rng.integers(1, 4)):
            pitch = base * 2 ** (rng.choice(_SCALE) / 12 + rng.integers(-1, 2))
            partials = sum(rng.uniform(0.2, 1) / h ** rng.uniform(0.8, 2) * np.sin(2 * np.pi * pitch * h * time)
                           for h in range(1, 6))
            wave[at:at + length] += partials * np.exp(-time * rng.uniform(0.5, 6))
        if drums and rng.random() < 0.6:
            stroke = min(length, 1500)
            decay = np.exp(-np.arange(stroke) / rng.uniform(80, 400))
            wave[at:at + stroke] += rng.standard_normal(stroke) * decay * 2
        at += length
    return wave


def bank(seed: int, count: int, seconds: float = 6.0) -> torch.Tensor:
    """Samples [count, 16000 seconds]: the kinds in turn."""
    rng = np.random.default_rng(seed)
    clips = (waveform(rng, KINDS[index % len(KINDS)], int(seconds * SAMPLE_RATE)) for index in range(count))
    return torch.from_numpy(np.stack(list(clips)))
