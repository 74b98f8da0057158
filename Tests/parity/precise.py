"""openai-whisper in double precision: what both sides would compute if nothing were rounded.

The reference itself casts to single precision in places (layer norms, softmax, logits, log-mel): those are done anew here, by the
same formulas. Weights and mel filters are what they are stored as.
"""

import contextlib
from unittest import mock

import numpy as np
import torch
import whisper
from torch.nn import functional
from whisper.model import LayerNorm, MultiHeadAttention, TextDecoder


def model(network):
    """A copy in double precision."""
    twin = whisper.model.Whisper(network.dims).double()
    twin.load_state_dict({name: value.double() for name, value in network.state_dict().items()})
    return twin.eval()


def log_mel(audio, bands, frames):
    """[bands, frames] of one window, the recording padded with zeros; by openai-whisper's formula."""
    audio = whisper.pad_or_trim(torch.as_tensor(np.asarray(audio, np.float64)), frames * whisper.audio.HOP_LENGTH)
    window = torch.hann_window(whisper.audio.N_FFT, dtype=torch.float64)
    spectrum = torch.stft(audio, whisper.audio.N_FFT, whisper.audio.HOP_LENGTH, window=window, return_complex=True)
    power = whisper.audio.mel_filters("cpu", bands).double() @ (spectrum[..., :-1].abs() ** 2)
    logarithm = torch.clamp(power, min=1e-10).log10()
    return (torch.maximum(logarithm, logarithm.max() - 8.0) + 4.0) / 4.0


def _norm(self, x):
    return functional.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)


def _attention(self, q, k, v, mask=None):
    scale = (q.shape[-1] // self.n_head) ** -0.25
    q, k, v = (part.view(*part.shape[:2], self.n_head, -1).permute(0, 2, 1, 3) for part in (q, k, v))
    scores = (q * scale) @ (k * scale).transpose(-1, -2)
    if mask is not None:
        scores = scores + mask[:q.shape[2], :q.shape[2]]
    return (torch.softmax(scores, dim=-1) @ v).permute(0, 2, 1, 3).flatten(start_dim=2), scores.detach()


def _decoder(self, tokens, audio, kv_cache=None):
    if kv_cache is not None:
        raise ValueError("in double precision the decoder reads all tokens at once")
    x = self.token_embedding(tokens) + self.positional_embedding[:tokens.shape[-1]]
    for block in self.blocks:
        x = block(x, audio, mask=self.mask)
    return self.ln(x) @ self.token_embedding.weight.T


@contextlib.contextmanager
def arithmetic():
    """openai-whisper's modules without their casts."""
    with mock.patch.object(LayerNorm, "forward", _norm), mock.patch.object(TextDecoder, "forward", _decoder), \
            mock.patch.object(MultiHeadAttention, "qkv_attention", _attention):
        yield
