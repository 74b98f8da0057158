"""openai-whisper's own value of every hook point, read with PyTorch's module hooks.

Everything is float32, with scaled_dot_product_attention off: only the explicit path has scores and patterns.
Arrays are [positions, ...], or [heads, positions, keys] for scores and patterns.
"""

import contextlib

import torch
import whisper
from whisper.model import Whisper, disable_sdpa


def model(dimensions, state):
    """openai-whisper with these weights, in float32."""
    network = Whisper(dimensions)
    network.load_state_dict({name: torch.as_tensor(value).float() for name, value in state.items()})
    return network.eval()


def log_mel(audio, bands, frames):
    """The model's input for one window: the recording padded with zeros to the window's length."""
    window = whisper.pad_or_trim(audio, frames * whisper.audio.HOP_LENGTH)
    return whisper.log_mel_spectrogram(window, bands)


def activations(network, mel, tokens, keep=None):
    """Every hook point of one encoder pass and one decoder pass over all `tokens`.

    `mel`: [bands, 2 * n_audio_ctx]. Returns name -> array, of the network's precision. `keep(name, array)`, where it is
    given, gets them one at a time instead, and may not hold on to them.
    """
    values, kind = {}, network.decoder.token_embedding.weight.dtype

    def store(name, value, view):
        array = view(value).detach()[0].to(kind).contiguous().numpy()
        if keep is None:
            values[name] = array.copy()
        else:
            keep(name, array)

    with watched(network, store), torch.no_grad(), disable_sdpa():
        audio = network.encoder(torch.as_tensor(mel)[None].to(kind))
        network.decoder(torch.tensor([tokens]), audio)
    return values


@contextlib.contextmanager
def watched(network, store):
    """While it lasts, passes call `store(name, tensor, view)` for every hook point: `view(tensor)` is the value there."""
    handles = []

    def output(module, name, view=lambda value: value):
        handles.append(module.register_forward_hook(lambda _, __, value: store(name, value, view)))

    def entry(module, name, view=lambda value: value):
        handles.append(module.register_forward_pre_hook(lambda _, inputs: store(name, inputs[0], view)))

    def convolution(module, name):  # the reference is [batch, state, frames], before GELU
        output(module, name, lambda value: torch.nn.functional.gelu(value).permute(0, 2, 1))

    def attention(module, name):
        def heads(value):
            return value.view(*value.shape[:2], module.n_head, -1)

        output(module.query, f"{name}.q", heads)
        output(module.key, f"{name}.k", heads)
        output(module.value, f"{name}.v", heads)
        output(module, f"{name}.scores", lambda value: value[1])
        output(module, f"{name}.pattern", lambda value: torch.softmax(value[1], dim=-1))
        entry(module.out, f"{name}.z", heads)
        output(module.out, name)

    def block(module, name):
        entry(module, f"{name}.resid_pre")
        output(module.attn_ln, f"{name}.attn_ln")
        attention(module.attn, f"{name}.attn")
        if module.cross_attn:
            entry(module.cross_attn_ln, f"{name}.resid_mid")
            output(module.cross_attn_ln, f"{name}.cross_attn_ln")
            attention(module.cross_attn, f"{name}.cross_attn")
            entry(module.mlp_ln, f"{name}.resid_cross")
        else:
            entry(module.mlp_ln, f"{name}.resid_mid")
        output(module.mlp_ln, f"{name}.mlp_ln")
        output(module.mlp[0], f"{name}.mlp.0")
        output(module.mlp[1], f"{name}.mlp.1")
        output(module.mlp, f"{name}.mlp")
        output(module, name)

    encoder, decoder = network.encoder, network.decoder
    convolution(encoder.conv1, "encoder.conv1")
    convolution(encoder.conv2, "encoder.conv2")
    entry(encoder.blocks[0], "encoder.positional")
    output(encoder.ln_post, "encoder.ln_post")
    output(decoder.token_embedding, "decoder.token_embedding")
    entry(decoder.blocks[0], "decoder.positional")
    output(decoder.ln, "decoder.ln")
    output(decoder, "decoder.logits")
    for part, name in ((encoder, "encoder"), (decoder, "decoder")):
        for index, module in enumerate(part.blocks):
            block(module, f"{name}.blocks.{index}")

    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
