"""The names of all hook points, in the order in which a forward pass meets them.

Written from the definition and not from the engine's own list, so that the two can be compared.
"""

ATTENTION = ("q", "k", "v", "scores", "pattern", "z")


def attention(path):
    return [f"{path}.{part}" for part in ATTENTION] + [path]


def block(path, cross):
    names = [f"{path}.resid_pre", f"{path}.attn_ln", *attention(f"{path}.attn"), f"{path}.resid_mid"]
    if cross:
        names += [f"{path}.cross_attn_ln", *attention(f"{path}.cross_attn"), f"{path}.resid_cross"]
    return names + [f"{path}.{part}" for part in ("mlp_ln", "mlp.0", "mlp.1", "mlp")] + [path]


def encoder(dimensions):
    layers = range(dimensions.n_audio_layer)
    blocks = [name for layer in layers for name in block(f"encoder.blocks.{layer}", cross=False)]
    return ["encoder.conv1", "encoder.conv2", "encoder.positional", *blocks, "encoder.ln_post"]


def decoder(dimensions):
    layers = range(dimensions.n_text_layer)
    blocks = [name for layer in layers for name in block(f"decoder.blocks.{layer}", cross=True)]
    return ["decoder.token_embedding", "decoder.positional", *blocks, "decoder.ln", "decoder.logits"]


def every(dimensions):
    return encoder(dimensions) + decoder(dimensions)


def kind(name):
    """The name with the layer's number replaced by a star: what a table sums up in one line."""
    return ".".join("*" if part.isdigit() and before == "blocks" else part
                    for before, part in zip([""] + name.split("."), name.split(".")))
