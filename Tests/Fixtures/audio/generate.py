"""Writes the golden log-mel values of this folder with openai-whisper.

    pip install openai-whisper==20250625 numpy torch soundfile==0.14.0
    python generate.py

voice.wav        2 s of a synthetic voice (gliding harmonics, noise, a pause), 16 kHz mono s16le
voice.mp3, .ogg  the same, compressed
logmel.json      the cases: signal, bands, how it was padded, frames in all, which frames are kept, where they lie
logmel.f32       little-endian float32, case after case, [bands, kept frames] each
filters.json     some of the mel filters' weights, from the table that openai-whisper ships
"""
import json
import wave
from pathlib import Path

import numpy as np
import soundfile
import torch
import whisper
from whisper.audio import log_mel_spectrogram, mel_filters, pad_or_trim

here = Path(__file__).parent
RATE = 16000


def voice():
    t = np.arange(2 * RATE) / RATE
    pitch = 110 + 40 * np.sin(2 * np.pi * 0.7 * t)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    tone = sum(np.sin(k * phase) / k ** (1 + 0.5 * np.sin(2 * np.pi * t)) for k in range(1, 30))
    hiss = np.random.default_rng(0).standard_normal(len(t)) * (0.02 + 0.2 * (np.sin(2 * np.pi * 1.5 * t) > 0.8))
    envelope = np.clip(1.5 * np.sin(2 * np.pi * 1.1 * t) ** 2, 0, 1) * (np.abs(t - 1.3) > 0.1)
    x = (tone * 0.2 + hiss) * envelope
    return np.round(np.clip(x, -0.99, 0.99) * 32767).astype(np.int16)


def signals(voice16):
    click = np.zeros(4000, np.float32)
    click[1000] = 1
    square = np.where(np.arange(8000) % 40 < 20, 1, -1).astype(np.float32)
    return {
        "voice": voice16.astype(np.float32) / 32768,
        "silence": np.zeros(1600, np.float32),
        "click": click,
        "square": square,
        "one": np.array([0.5], np.float32),
    }


def spectrogram(x, bands, padding):
    """`padding`: "none", the samples alone; "window N", cut or padded to N samples; "after N", N zeros appended."""
    kind, *n = padding.split()
    if kind == "window":
        x = pad_or_trim(x, int(n[0]))
    return log_mel_spectrogram(x, bands, padding=int(n[0]) if kind == "after" else 0).numpy()


def main():
    voice16 = voice()
    with wave.open(str(here / "voice.wav"), "wb") as file:
        file.setnchannels(1), file.setsampwidth(2), file.setframerate(RATE)
        file.writeframes(voice16.astype("<i2").tobytes())

    for kind, subtype in (("mp3", "MPEG_LAYER_III"), ("ogg", "VORBIS")):
        soundfile.write(here / f"voice.{kind}", voice16, RATE, format=kind.upper(), subtype=subtype)

    plans = [("voice", "none"), ("voice", "window 480000"), ("voice", "after 480000"), ("voice", "window 24000")]
    plans += [(name, "window 480000") for name in ("silence", "click", "square", "one")]
    plans += [("square", "none"), ("click", "after 480000")]
    cases, values = [], []
    for bands in (80, 128):
        for name, padding in plans:
            x = signals(voice16)[name]
            mel = spectrogram(x, bands, padding)
            content, total = len(x) // 160, mel.shape[1]
            # Both ends, where the signal is reflected, the edge of the content, and a walk through the middle.
            keep = {0, 1, 2, content - 2, content - 1, content, content + 1, content + 2, total - 2, total - 1}
            keep |= set(range(5, content, max(content // 10, 1)))
            keep = sorted(k for k in keep if 0 <= k < total)
            cases.append({"signal": name, "bands": bands, "padding": padding, "frames": total, "kept": keep,
                          "offset": sum(v.size for v in values)})
            values.append(mel[:, keep].astype("<f4"))
    np.concatenate([v.ravel() for v in values]).tofile(here / "logmel.f32")

    filters = []
    for bands in (80, 128):
        table = mel_filters("cpu", bands).numpy()
        for band in sorted({0, 1, 2, 10, bands // 2, bands - 2, bands - 1}):
            filters.append({"bands": bands, "band": band, "weights": [float(w) for w in table[band]]})
    meta = {"whisper": whisper.__version__, "torch": torch.__version__, "soundfile": soundfile.__version__,
            "cases": cases}
    (here / "logmel.json").write_text(json.dumps(meta) + "\n")
    (here / "filters.json").write_text(json.dumps(filters) + "\n")


main()
