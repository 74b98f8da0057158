"""Whisper's log-mel spectrogram, split where augmentation has to get in.

Whisper takes log10 of the mel power, clamps it to 8 below the clip's maximum and scales it. Training needs the power before
clamp and scale, so that gain, reverberation and equalisation cost a few additions a batch and no second Fourier transform.

What follows a clip is part of its spectrum. openai-whisper's examples put zeros behind the *samples*, and a clip that stops in
the middle of a sound then ends with a click; its `transcribe` puts zeros behind the *log-mel* of the whole recording, where
zero is a level and not silence. A program of either kind gives this model either, so both are here and both are in training.
"""

import functools
import math

import numpy as np
import torch
from scipy.signal import firwin, resample_poly
from whisper.audio import mel_filters

SAMPLE_RATE = 16_000
HOP = 160  # samples per mel frame: 10 ms
MELS = 80
FLOOR = -10.0  # log10 of the smallest power Whisper knows


@functools.cache
def _filters():
    return mel_filters("cpu", MELS), torch.hann_window(400)


def log_mel_power(samples) -> torch.Tensor:
    """float32 [..., samples] at 16 kHz -> float32 [..., frames, 80], log10 power, floor -10. As openai's: the samples are
    reflected at both ends, so whoever wants silence behind them has to append it."""
    filters, window = _filters()
    spectrum = torch.stft(torch.as_tensor(samples), 400, HOP, window=window, return_complex=True)[..., :-1].abs() ** 2
    return torch.clamp(filters @ spectrum, min=10**FLOOR).log10().transpose(-1, -2)


def whisper_scale(log_power: torch.Tensor, louder=0.0) -> torch.Tensor:
    """Clamp to 8 below each clip's maximum, or that of a recording that is `louder` elsewhere, and scale as Whisper does; [..., frames, mels]."""
    peak = log_power.amax((-2, -1), keepdim=True) + louder
    return (torch.maximum(log_power, peak - 8.0) + 4.0) / 4.0


def model_input(samples, n_audio_ctx: int, padding: str = "sound") -> torch.Tensor:
    """float32 [samples] -> [80, 2 n_audio_ctx], padded behind the samples ("sound") or behind the log-mel ("mel")."""
    frames = 2 * n_audio_ctx
    followed = np.zeros(frames * HOP + (HOP * frames if padding == "mel" else 0), np.float32)
    length = min(len(samples), frames * HOP)
    followed[:length] = samples[:length]
    scaled = whisper_scale(log_mel_power(followed))[:frames]
    if padding == "mel":
        scaled[length // HOP:] = 0.0
    return scaled.T


@functools.cache
def _low_pass(up, down):
    widest = max(up, down)
    return firwin(2 * 6 * widest + 1, 1 / widest, window=("kaiser", 5.0))


def resample(samples: np.ndarray, up: int, down: int) -> np.ndarray:
    """Change the rate by up / down; also how playing speed (and with it the vocal tract's length) is varied."""
    common = math.gcd(up, down)
    up, down = up // common, down // common
    if up == down:
        return samples.astype(np.float32)
    return resample_poly(samples, up, down, window=_low_pass(up, down)).astype(np.float32)
