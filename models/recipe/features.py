"""Whisper's log-mel spectrogram, split where augmentation has to get in.

Whisper takes log10 of the mel power, clamps it to 8 below the clip's maximum and scales it. Shards hold the power's log10
*before* clamp and scale, so that noise, gain, reverberation and equalisation can be applied to power, per batch, for the
price of a few additions instead of a second Fourier transform.
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


def log_mel_power(samples: np.ndarray) -> torch.Tensor:
    """float32 [samples] at 16 kHz -> float32 [frames, 80], log10 power, floor -10."""
    filters, window = _filters()
    spectrum = torch.stft(torch.from_numpy(samples), 400, HOP, window=window, return_complex=True)[..., :-1].abs() ** 2
    return torch.clamp(filters @ spectrum, min=10**FLOOR).log10().T


def whisper_scale(log_power: torch.Tensor) -> torch.Tensor:
    """Clamp to 8 below each clip's maximum and scale as Whisper does; [..., frames, mels]."""
    peak = log_power.amax((-2, -1), keepdim=True)
    return (torch.maximum(log_power, peak - 8.0) + 4.0) / 4.0


def model_input(log_power: torch.Tensor, n_audio_ctx: int) -> torch.Tensor:
    """[frames, 80] -> [80, 2 n_audio_ctx], padded with digital silence, as at inference."""
    padded = torch.full((2 * n_audio_ctx, MELS), FLOOR)
    frames = min(len(log_power), 2 * n_audio_ctx)
    padded[:frames] = log_power[:frames]
    return whisper_scale(padded).T


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
