"""A CTranslate2 folder of Whisper as openai-whisper's state, read here and not by the engine that is compared.

`model.bin`, version 6, little-endian: a version, the spec's name and revision; then for each variable its name, shape,
type and bytes. Strings have two bytes of length, their final NUL counted. Query, key and value of a layer are one matrix.
"""

import json
import re
import struct
from pathlib import Path

import numpy as np
from whisper.model import ModelDimensions

TYPES = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}


def variables(path):
    """Name -> array, as they are stored."""
    data, at, found = memoryview(Path(path).read_bytes()), 0, {}

    def number(kind):
        nonlocal at
        value, = struct.unpack_from("<" + kind, data, at)
        at += struct.calcsize("<" + kind)
        return value

    def text():
        nonlocal at
        length = number("H")
        at += length
        return bytes(data[at - length:at]).rstrip(b"\0").decode()

    version, spec, _ = number("I"), text(), number("I")
    if (version, spec) != (6, "WhisperSpec"):
        raise SystemExit(f"{path}: version {version} of {spec}, expected 6 of WhisperSpec")
    for _ in range(number("I")):
        name = text()
        shape = [number("I") for _ in range(number("B"))]
        kind, length = TYPES[number("B")], number("I")
        found[name] = np.frombuffer(data[at:at + length], kind).reshape(shape)
        at += length
    return found


def state(path):
    """Dimensions, and openai-whisper's names -> float32 arrays, of a folder whose weights are floats."""
    found = variables(Path(path) / "model.bin")
    layers = {side: len({name.split("/")[1] for name in found if re.match(side + r"/layer_\d", name)})
              for side in ("encoder", "decoder")}
    out = {}

    def put(name, key, part=0, parts=1):
        for kind in ("weight", "bias"):
            if f"{key}/{kind}" in found and not (kind == "bias" and name.endswith("key")):
                out[f"{name}.{kind}"] = np.split(found[f"{key}/{kind}"], parts)[part]

    def norm(name, key):
        out[f"{name}.weight"], out[f"{name}.bias"] = found[f"{key}/gamma"], found[f"{key}/beta"]

    for side in layers:
        out[f"{side}.positional_embedding"] = found[f"{side}/position_encodings/encodings"]
        norm("encoder.ln_post" if side == "encoder" else "decoder.ln", f"{side}/layer_norm")
        for index in range(layers[side]):
            block, layer = f"{side}.blocks.{index}", f"{side}/layer_{index}"
            norm(f"{block}.attn_ln", f"{layer}/self_attention/layer_norm")
            norm(f"{block}.mlp_ln", f"{layer}/ffn/layer_norm")
            for part, name in enumerate(("query", "key", "value")):
                put(f"{block}.attn.{name}", f"{layer}/self_attention/linear_0", part, 3)
            put(f"{block}.attn.out", f"{layer}/self_attention/linear_1")
            put(f"{block}.mlp.0", f"{layer}/ffn/linear_0")
            put(f"{block}.mlp.2", f"{layer}/ffn/linear_1")
            if side == "decoder":
                norm(f"{block}.cross_attn_ln", f"{layer}/attention/layer_norm")
                put(f"{block}.cross_attn.query", f"{layer}/attention/linear_0")
                put(f"{block}.cross_attn.key", f"{layer}/attention/linear_1", 0, 2)
                put(f"{block}.cross_attn.value", f"{layer}/attention/linear_1", 1, 2)
                put(f"{block}.cross_attn.out", f"{layer}/attention/linear_2")
    put("encoder.conv1", "encoder/conv1")
    put("encoder.conv2", "encoder/conv2")
    out["decoder.token_embedding.weight"] = found["decoder/embeddings/weight"]
    width, bands, _ = out["encoder.conv1.weight"].shape
    heads = int(found["encoder/num_heads"])
    dimensions = ModelDimensions(
        bands, len(out["encoder.positional_embedding"]), width, heads, layers["encoder"],
        *out["decoder.token_embedding.weight"].shape[:1], len(out["decoder.positional_embedding"]), width, heads,
        layers["decoder"])
    return dimensions, {name: value.astype(np.float32) for name, value in out.items()}


def alignment_heads(path):
    """[(layer, head)], as the folder has them."""
    return [tuple(pair) for pair in json.loads((Path(path) / "config.json").read_text())["alignment_heads"]]
