"""openai-whisper's own classes with small dimensions, and what only training adds to them."""

import torch
import torch.nn.functional as F
from torch import nn
from whisper.model import ModelDimensions, Whisper

from .tokenizer import TIMESTAMPS

DIMENSIONS = dict(n_mels=80, n_audio_ctx=500, n_audio_state=160, n_audio_head=5, n_audio_layer=4,
                  n_text_ctx=64, n_text_state=160, n_text_head=5, n_text_layer=3)
PHONEME_BLOCK = 2  # the encoder block whose output names phonemes during training
BELL = 1.5  # frames: the width of what is shown in a timestamp's place
GUIDED_BLOCK, GUIDED_HEADS = 1, (0, 1)  # the decoder heads that are shown where each word is


def build(n_vocab: int) -> Whisper:
    model = Whisper(ModelDimensions(n_vocab=n_vocab, **DIMENSIONS))
    blocks = DIMENSIONS["n_audio_layer"] + DIMENSIONS["n_text_layer"]
    for name, parameter in model.named_parameters():
        if parameter.dim() >= 2 and "conv" not in name:
            scale = 0.02 if "embedding" in name else 0.7 / parameter.shape[-1] ** 0.5
            nn.init.normal_(parameter, std=scale)
        if name.endswith(("out.weight", "mlp.2.weight")):  # as GPT-2: the residual stream keeps its scale with depth
            parameter.data /= (2 * blocks) ** 0.5
    return model


class Trainee(nn.Module):
    """A Whisper, and three kinds of help that exist only in training: a phoneme classifier on an inner encoder block, a word
    classifier on the encoder's output (its classes are the decoder's own token embeddings), and a loss on two
    cross-attention heads. Speech whose every sound is known is worth more than its text, and the time is short.

    The encoder runs on as many frames as a batch needs instead of the full context: its position embedding is a prefix of
    sinusoids that does not depend on length, so short clips cost what they are worth.
    """

    def __init__(self, model: Whisper, phonemes: int):
        super().__init__()
        self.model = model
        width = model.dims.n_audio_state
        self.phoneme_head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, phonemes))
        self.word_projection = nn.Linear(width, width)
        self.encoder_stays = False
        self.first_timestamp = model.dims.n_vocab - TIMESTAMPS
        steps = torch.arange(TIMESTAMPS)
        self.bells = torch.softmax(-0.5 * ((steps[:, None] - steps) / BELL).square(), -1)
        self._cross = {}
        cross_attention = model.decoder.blocks[GUIDED_BLOCK].cross_attn
        for name in ("query", "key"):
            getattr(cross_attention, name).register_forward_hook(
                lambda module, inputs, output, name=name: self._cross.__setitem__(name, output))

    def encode(self, mel: torch.Tensor):
        """mel [clips, 80, 2 frames] -> audio features [clips, frames, width], phoneme logits [clips, frames, phonemes]."""
        encoder = self.model.encoder
        x = F.gelu(encoder.conv2(F.gelu(encoder.conv1(mel)))).permute(0, 2, 1)
        x = x + encoder.positional_embedding[: x.shape[1]]
        phonemes = None
        for index, block in enumerate(encoder.blocks):
            x = block(x)
            if index == PHONEME_BLOCK:
                phonemes = self.phoneme_head(x)
        return encoder.ln_post(x), phonemes

    def guide_loss(self, word_frames: torch.Tensor) -> torch.Tensor:
        """-log of the attention that falls on the word being written; word_frames bool [clips, tokens, frames]."""
        heads = self.model.dims.n_text_head
        query, key = (self._cross[name].unflatten(-1, (heads, -1))[:, :, list(GUIDED_HEADS)].transpose(1, 2)
                      for name in ("query", "key"))
        pattern = (query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5).softmax(-1)
        known = word_frames.any(-1)
        if not known.any():
            return pattern.sum() * 0
        inside = (pattern * word_frames[:, None]).sum(-1).transpose(1, 2)[known]
        return -(inside + 1e-4).log().mean()

    def word_loss(self, features, frame_words, stride=3) -> torch.Tensor:
        """Which token is being spoken, on every third frame (the classifier is as wide as the vocabulary)."""
        known = frame_words[:, ::stride] >= 0
        if not known.any():
            return features.sum() * 0
        spoken = self.word_projection(features[:, ::stride][known])
        return F.cross_entropy(spoken @ self.model.decoder.token_embedding.weight.T, frame_words[:, ::stride][known])

    def text_loss(self, logits, targets) -> torch.Tensor:
        """Cross-entropy, with a bell around a timestamp in its place: else nothing says that 2.48 is almost 2.50 and far from 1.92, and a
        model that is shown few of them says those that are frequent. The bell's own entropy is taken off."""
        known = targets >= 0
        logits, targets = logits[known], targets[known]
        losses = F.cross_entropy(logits, targets, reduction="none")
        stamps = targets >= self.first_timestamp
        likelihoods = logits[stamps].log_softmax(-1)[:, self.first_timestamp:]
        bells = self.bells[targets[stamps] - self.first_timestamp]
        losses = losses.masked_scatter(stamps, (torch.special.xlogy(bells, bells) - bells * likelihoods).sum(-1))
        return losses.mean()

    def keep_encoder(self):
        """Train the decoder alone: half the work, and what the encoder hears stays what it was."""
        self.encoder_stays = True
        for module in (self.model.encoder, self.phoneme_head, self.word_projection):
            module.requires_grad_(False)

    def forward(self, batch) -> dict[str, torch.Tensor]:
        if self.encoder_stays:
            with torch.no_grad():
                features = self.encode(batch.mel)[0]
            logits = self.model.decoder(batch.tokens, features)
            return {"text": self.text_loss(logits, batch.targets), "guide": self.guide_loss(batch.word_frames)}
        features, phonemes = self.encode(batch.mel)
        logits = self.model.decoder(batch.tokens, features)
        return {
            "text": self.text_loss(logits, batch.targets),
            "phoneme": F.cross_entropy(phonemes.flatten(0, 1), batch.labels.flatten()),
            "word": self.word_loss(features, batch.frame_words),
            "guide": self.guide_loss(batch.word_frames),
        }
