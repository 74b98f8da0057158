"""Augmentation, a batch at a time: noise on the samples, all else on the mel *power*.

Noise is added to the samples, so that it stops where the recording does, with the click that this makes. Reverberation, equalisation,
telephone bands, other vocal tracts and gain are all linear in power (or nearly so), so that they cost a few passes over
[clips, frames, 80] and no Fourier transform.
"""

import math
import random

import numpy as np
import torch

from .features import FLOOR, HOP, MELS, log_mel_power, whisper_scale

_LOG10 = math.log(10)


def mel_frequencies() -> np.ndarray:
    """Centres of Whisper's 80 mel bands in Hz (Slaney's scale: linear below 1 kHz, logarithmic above)."""
    top = 15 + math.log(8000 / 1000) / (math.log(6.4) / 27)
    mels = np.linspace(0, top, MELS + 2)[1:-1]
    return np.where(mels < 15, mels * 200 / 3, 1000 * np.exp((mels - 15) * math.log(6.4) / 27))


def _warp_matrix(factor: float, smoothing: int) -> torch.Tensor:
    """[80, 80]: reads each band at `factor` times its frequency, then blurs over neighbouring bands."""
    frequency = mel_frequencies()
    position = np.interp(frequency * factor, frequency, np.arange(MELS))
    low = np.minimum(position.astype(int), MELS - 2)
    matrix = np.zeros((MELS, MELS))
    matrix[np.arange(MELS), low] = 1 - (position - low)
    matrix[np.arange(MELS), low + 1] += position - low
    blur = 0.5 * np.eye(MELS) + 0.25 * np.eye(MELS, k=1) + 0.25 * np.eye(MELS, k=-1)
    return torch.from_numpy(np.linalg.matrix_power(blur, smoothing) @ matrix).float()


class Augmenter:
    """Draws everything from `rng` and a torch generator made of it, so that a run can be resumed exactly."""

    def __init__(self, rng: random.Random, noise: torch.Tensor):
        self.rng, self.noise = rng, noise
        factors = np.linspace(0.86, 1.16, 13)
        # Blurring over frequency imitates the smooth envelopes of vocoders; two of three matrices do not blur.
        self.warps = torch.stack([_warp_matrix(f, s) for f in factors for s in (0, 0, 1)] + [_warp_matrix(1.0, 2)])
        self.identity = torch.eye(MELS)
        self.frequency = torch.from_numpy(mel_frequencies()).float()

    def __call__(self, samples: torch.Tensor, speech: list[bool], ends: list[int], strength: float,
                 mel_padded: list[bool], louder: list[float] | None = None) -> torch.Tensor:
        """samples [clips, 160 frames]; ends: where each recording ends, in samples -> model input [clips, 80, frames].

        Behind its end a recording is silent, or, where `mel_padded` says so, its log-mel is zero. louder: log10 of how much louder than in
        this window a recording is elsewhere, which raises the floor of its log-mel.
        """
        rng, clips = self.rng, len(samples)
        generator = torch.Generator().manual_seed(rng.getrandbits(60))
        self._add_noise(samples, speech, ends, strength)
        # Zeros behind the batch, or the last frames would see its end mirrored.
        log_power = log_mel_power(torch.nn.functional.pad(samples, (0, 2 * HOP)))[:, :-2]
        power = torch.exp(log_power * _LOG10)
        power[log_power <= FLOOR + 0.01] = 0
        if strength:
            power = torch.bmm(power, self._band_matrices(clips, strength).transpose(1, 2))
            if rng.random() < 0.3 * strength:
                self._reverberate(power)
            power *= self._equaliser(clips, strength, generator)
            power *= 10 ** (torch.rand(clips, 1, 1, generator=generator) * 3 - 2)
        scaled = whisper_scale(torch.clamp(power, min=10**FLOOR).log10(), torch.tensor(louder or [0.0])[:, None, None])
        ends = [end // HOP for end in ends]
        if strength:
            self._mask(scaled, speech, ends, strength)
        for clip, padded in enumerate(mel_padded):
            if padded:
                scaled[clip, ends[clip]:] = 0.0
        return scaled.transpose(1, 2).contiguous()

    def _band_matrices(self, clips, strength):
        rng, chosen = self.rng, []
        for _ in range(clips):
            matrix = self.warps[rng.randrange(len(self.warps))] if rng.random() < 0.6 * strength else self.identity
            if rng.random() < 0.2 * strength:  # a telephone, or a recording at 8 kHz
                top, bottom = rng.uniform(3300, 4200), rng.choice((0, 0, 150, 300))
                outside = (self.frequency > top) | (self.frequency < bottom)
                matrix = torch.where(outside, 10 ** rng.uniform(-7, -3), 1.0)[:, None] * matrix
            chosen.append(matrix)
        return torch.stack(chosen)

    def _reverberate(self, power):
        gain, decay = self.rng.uniform(0.02, 0.25), self.rng.uniform(0.6, 0.9)
        dry = power.clone()
        for delay in (2, 4, 6, 9, 13, 18):
            power[:, delay:] += gain * decay**delay * dry[:, :-delay]

    @staticmethod
    def _equaliser(clips, strength, generator):
        band = torch.linspace(0, 1, MELS)
        normal = lambda *shape: torch.randn(*shape, generator=generator)  # noqa: E731
        tilt = normal(clips, 1, 1) * 0.5 * (band - 0.5)
        phase = torch.rand(clips, 3, 1, generator=generator) * 2 * math.pi
        ripple = normal(clips, 3, 1) * 0.15 * torch.sin(phase + band * torch.tensor([[3.0], [6.0], [11.0]]))
        return torch.exp((tilt + ripple.sum(1, keepdim=True)) * strength * _LOG10)

    def _add_noise(self, samples, speech, ends, strength):
        """Speech gets noise at 3 to 35 dB; what is not speech becomes noise of any level, or stays digital silence."""
        rng, length = self.rng, samples.shape[1]
        frames = samples.unflatten(1, (-1, HOP)).square().mean(2)
        loudest = frames.topk(max(1, frames.shape[1] // 10), dim=1).values.mean(1).tolist()
        for clip, is_speech in enumerate(speech):
            if rng.random() < (1 - 0.55 * strength if is_speech else 0.15):
                continue
            noise = self.noise[rng.randrange(len(self.noise))]
            end = length if rng.random() < 0.3 else min(length, ends[clip])
            noise = noise.roll(-rng.randrange(len(noise))).repeat(end // len(noise) + 1)[:end]
            snr = rng.choice((rng.uniform(3, 15), rng.uniform(12, 35))) if is_speech else 0
            level = loudest[clip] * 10 ** (-snr / 10) if is_speech else 10 ** rng.uniform(-7, -1.2)
            samples[clip, :end] += noise * (level / (noise.square().mean().item() + 1e-10)) ** 0.5

    def _mask(self, scaled, speech, ends, strength):
        """SpecAugment: two bands and a stretch of time go to the clip's floor."""
        rng, floor = self.rng, scaled.amin((1, 2))
        for clip, is_speech in enumerate(speech):
            if not is_speech:
                continue
            for _ in range(2):
                if rng.random() < 0.35 * strength:
                    width = rng.randint(2, 9)
                    low = rng.randint(0, MELS - width)
                    scaled[clip, :, low:low + width] = floor[clip]
            if rng.random() < 0.35 * strength:
                width = rng.randint(3, 20)
                start = rng.randint(0, max(1, ends[clip] - width))
                scaled[clip, start:start + width] = floor[clip]
