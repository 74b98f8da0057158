#!/usr/bin/env python3
"""Writes the inputs that fuzzing begins with into Tests/fuzz/corpus, a folder for each kind (Fuzz.swift).

The first byte says how the others are taken: frames are cut into pieces of so many bytes, a message is of the type at that place in
AllMessages.swift, and the others have a number for each form.
"""

import json
import math
import re
import struct
from pathlib import Path

REQUEST, RESPONSE, DATA = 1, 2, 3


def field(number: int, value: "int | str | bytes") -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    content = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(value: int) -> bytes:
    out = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)


def frame(stream: int, kind: int, flags: int = 0, data: bytes = b"") -> bytes:
    return struct.pack(">IIBB", len(data), stream, kind, flags) + data


def request(service: str, method: str, payload: bytes = b"") -> bytes:
    return field(1, service) + field(2, method) + (field(3, payload) if payload else b"")


upload = request("auscult.v1.Audio", "Upload")
unary = field(1, "svc") + field(2, "M") + field(4, 4_999_912_345) + field(5, field(1, "k") + field(2, "v"))
connections = {
    "unary": frame(1, REQUEST, 0, unary),
    "server-stream": frame(1, REQUEST, 1, request("grpc.health.v1.Health", "Watch")),
    "client-stream": frame(1, REQUEST, 2, upload) + frame(1, DATA, 0, field(2, b"\xaa\xbb")) + frame(1, DATA, 5),
    "client-stream-rust": frame(1, REQUEST, 6, upload) + frame(1, DATA, 1),
    "wrong-ids": b"".join(frame(i, REQUEST, 0, upload) for i in (7, 8, 7, 5)) + frame(9, DATA, 0, b"x"),
    "closing-payload": frame(1, REQUEST, 2, upload) + frame(1, DATA, 1, b"x") + frame(1, DATA, 0, b"y"),
    "oversized": struct.pack(">IIBB", (4 << 20) + 1, 1, REQUEST, 0) + b"x" * 40,
    "unknown-type": frame(1, 9, 255, b"?") + frame(1, RESPONSE, 0, b"?"),
}
messages = {
    "TTRPC.Request": unary,
    "TTRPC.Response": field(1, field(1, 5) + field(2, "no model")),
    "GoogleRPC.Status": field(1, 5) + field(3, field(1, "type.googleapis.com/x") + field(2, b"\x0a\x01r")),
    "V1.TranscribeRequest": field(1, field(1, "tiny"))
    + field(2, field(2, "en-slt-01") + field(6, b"\x09" + struct.pack("<d", 1)))
    + field(3, field(1, "en") + field(4, struct.pack("<2d", 0, 0.2)) + field(20, field(1, varint(50257))))
    # Once more: protobuf-c merges the two.
    + field(2, field(5, "name")),
    "V1.DetokenizeRequest": field(2, varint(1) + varint(300) + varint(70000)),
    "V1.ModelRef": field(1, "a\0b"),
}



def zipped(entries: "dict[str, bytes]") -> bytes:
    """As torch saves: stored, without checksums, so that a changed byte is not refused for its sum."""
    out, directory = b"", b""
    for name, data in entries.items():
        head = struct.pack("<HHHHHIII", 20, 0, 0, 0, 0, 0, len(data), len(data))
        place = struct.pack("<HHHHHII", len(name), 0, 0, 0, 0, 0, len(out))
        directory += b"PK\1\2" + struct.pack("<H", 20) + head + place + name.encode()
        out += b"PK\3\4" + head + struct.pack("<HH", len(name), 0) + name.encode() + data
    end = struct.pack("<HHHHIIH", 0, 0, len(entries), len(entries), len(directory), len(out), 0)
    return out + directory + b"PK\5\6" + end


# A model of the smallest sizes: openai's names with their shapes.
WIDTH, VOCABULARY = 2, 4
SIZES = {
    "n_vocab": VOCABULARY, "n_audio_ctx": 2, "n_audio_state": WIDTH, "n_audio_head": 1, "n_audio_layer": 1, "n_text_ctx": 2,
    "n_text_state": WIDTH, "n_text_head": 1, "n_text_layer": 1, "n_mels": 1,
}


def tensors() -> "dict[str, list[int]]":
    shapes = {
        "encoder.conv1.weight": [WIDTH, 1, 3], "encoder.conv1.bias": [WIDTH], "encoder.conv2.weight": [WIDTH, WIDTH, 3],
        "encoder.conv2.bias": [WIDTH], "encoder.positional_embedding": [2, WIDTH], "encoder.ln_post.weight": [WIDTH],
        "encoder.ln_post.bias": [WIDTH], "decoder.token_embedding.weight": [VOCABULARY, WIDTH],
        "decoder.positional_embedding": [2, WIDTH], "decoder.ln.weight": [WIDTH], "decoder.ln.bias": [WIDTH],
    }
    for block, attentions in (("encoder.blocks.0", ["attn"]), ("decoder.blocks.0", ["attn", "cross_attn"])):
        for attention in attentions:
            for projection in ("query", "key", "value", "out"):
                shapes[f"{block}.{attention}.{projection}.weight"] = [WIDTH, WIDTH]
                if projection != "key":
                    shapes[f"{block}.{attention}.{projection}.bias"] = [WIDTH]
            shapes[f"{block}.{attention}_ln.weight"] = shapes[f"{block}.{attention}_ln.bias"] = [WIDTH]
        shapes |= {f"{block}.mlp.0.weight": [4 * WIDTH, WIDTH], f"{block}.mlp.0.bias": [4 * WIDTH]}
        shapes |= {f"{block}.mlp.2.weight": [WIDTH, 4 * WIDTH], f"{block}.mlp.2.bias": [WIDTH]}
        shapes[f"{block}.mlp_ln.weight"] = shapes[f"{block}.mlp_ln.bias"] = [WIDTH]
    return shapes


def elements(shape: "list[int]") -> bytes:
    return struct.pack(f"<{math.prod(shape)}f", *range(math.prod(shape)))


def ggml() -> bytes:
    out = struct.pack("<I", 0x6767_6D6C) + struct.pack("<11i", *SIZES.values(), 0) + struct.pack("<2i4x", 1, 1)
    out += struct.pack("<i", 2) + b"".join(struct.pack("<i", 1) + one for one in (b"a", b"b"))
    for name, shape in tensors().items():
        out += struct.pack(f"<3i{len(shape)}i", len(shape), len(name), 0, *reversed(shape)) + name.encode() + elements(shape)
    return out


def pickled() -> bytes:
    def text(value: str) -> bytes:
        return b"X" + struct.pack("<I", len(value)) + value.encode()

    def whole(value: int) -> bytes:
        return b"K" + bytes([value])

    def row(values: "list[bytes]") -> bytes:
        return b"(" + b"".join(values) + b"t"

    def tensor(number: int, shape: "list[int]") -> bytes:
        strides = [math.prod(shape[axis + 1:]) for axis in range(len(shape))]
        storage = row([text("storage"), b"ctorch\nFloatStorage\n", text(str(number)), text("cpu"), whole(math.prod(shape))]) + b"Q"
        parts = [storage, whole(0), row([*map(whole, shape)]), row([*map(whole, strides)]), b"\x89", b"ccollections\nOrderedDict\n)R"]
        return b"ctorch._utils\n_rebuild_tensor_v2\n" + row(parts) + b"R"

    def dictionary(items: "list[tuple[str, bytes]]") -> bytes:
        return b"}(" + b"".join(text(key) + value for key, value in items) + b"u"

    sizes = dictionary([(name, whole(value)) for name, value in SIZES.items()])
    state = dictionary([(name, tensor(number, shape)) for number, (name, shape) in enumerate(tensors().items())])
    return b"\x80\2" + dictionary([("dims", sizes), ("model_state_dict", state)]) + b"."


def torch_saved() -> bytes:
    storages = {f"m/data/{number}": elements(shape) for number, shape in enumerate(tensors().values())}
    return zipped({"m/data.pkl": pickled(), **storages})


def safetensors(shapes: "dict[str, list[int]]") -> bytes:
    header, data = {}, b""
    for name, shape in shapes.items():
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + 4 * math.prod(shape)]}
        data += elements(shape)
    text = json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<Q", len(text)) + text + data


def hugging_face() -> bytes:
    words = {"attn_ln": "self_attn_layer_norm", "cross_attn_ln": "encoder_attn_layer_norm", "mlp_ln": "final_layer_norm"}
    words |= {"blocks": "layers", "attn": "self_attn", "cross_attn": "encoder_attn", "ln_post": "layer_norm", "ln": "layer_norm"}
    words |= {"query": "q_proj", "key": "k_proj", "value": "v_proj", "out": "out_proj"}
    simple = {"encoder.positional_embedding": "encoder.embed_positions.weight"}
    simple |= {"decoder.positional_embedding": "decoder.embed_positions.weight"}
    simple |= {"decoder.token_embedding.weight": "decoder.embed_tokens.weight"}

    def name(openai: str) -> str:
        other = ".".join(words.get(part, part) for part in openai.split("."))
        return "model." + simple.get(openai, other.replace("mlp.0", "fc1").replace("mlp.2", "fc2"))

    config = {
        "model_type": "whisper", "num_mel_bins": 1, "max_source_positions": 2, "d_model": WIDTH, "encoder_attention_heads": 1,
        "encoder_layers": 1, "vocab_size": VOCABULARY, "max_target_positions": 2, "decoder_attention_heads": 1, "decoder_layers": 1,
        "encoder_ffn_dim": 4 * WIDTH, "decoder_ffn_dim": 4 * WIDTH,
    }
    return json.dumps(config).encode() + b"\0" + safetensors({name(key): shape for key, shape in tensors().items()})


def ctranslate2() -> bytes:
    def string(text: str) -> bytes:
        return struct.pack("<H", len(text) + 1) + text.encode() + b"\0"

    variables = {"encoder/conv1/weight": [WIDTH, 1, 3], "encoder/num_heads": []}
    out = struct.pack("<I", 6) + string("WhisperSpec") + struct.pack("<II", 3, len(variables))
    for name, shape in variables.items():
        data = elements(shape)
        out += string(name) + struct.pack(f"<B{len(shape)}IBI", len(shape), *shape, 0, len(data)) + data
    return out + struct.pack("<I", 0)


letters = {**{chr(33 + place): place for place in range(94)}, "ab": 94, "<|endoftext|>": 95}
tokenizer = {"model": {"type": "BPE", "vocab": letters, "merges": ["a b"]}, "added_tokens": [{"id": 95, "content": "<|endoftext|>", "special": True}]}
checkpoints = {
    "safetensors": (0, safetensors({"x": [2]})),
    "zip": (1, zipped({"m/data.pkl": b"\x80\2}.", "m/byteorder": b"little"})),
    "model-bin": (2, ctranslate2()),
    "json": (3, b'{"a": [1, -2.5e3, "\\u00e9", null, true], "b": {}}'),
    "pickle": (4, pickled()),
    "ggml": (5, ggml()),
    "torch": (5, torch_saved()),
    "ctranslate2": (5, ctranslate2()),
    "hugging-face": (6, hugging_face()),
    "tokenizer": (7, json.dumps(tokenizer).encode()),
    "vocabulary": (7, json.dumps(list(letters)).encode()),
    "tiktoken": (7, b"YQ== 0\nYg== 1\nYWI= 2\n"),
}
text_grid = (
    'File type = "ooTextFile"\nObject class = "TextGrid"\n\nxmin = 0\nxmax = 1\ntiers? <exists>\nsize = 1\nitem []:\n    item [1]:\n'
    '        class = "IntervalTier"\n        name = "words"\n        xmin = 0\n        xmax = 1\n        intervals: size = 1\n'
    '        intervals [1]:\n            xmin = 0\n            xmax = 1\n            text = "one ""two"""\n'
)
manifests = {
    "jsonl": (0, b'{"audio_filepath": "a.wav", "duration": 1.5, "text": "one"}\n{"path": "b.wav", "start": 1, "end": 2}\n'),
    "json": (1, b'[{"audio": "a.wav", "text": "one"}]'),
    "csv": (2, b'path,text\na.wav,"one, ""two"""\n'),
    "tsv": (3, b"path\tsentence\na.wav\tone\n"),
    "textgrid": (4, text_grid.encode()),
    "textgrid-short": (4, b'"ooTextFile"\n"TextGrid"\n0\n1\n<exists>\n1\n"IntervalTier"\n"phones"\n0\n1\n1\n0\n1\n"AH0"\n'),
    "textgrid-utf16": (4, text_grid.encode("utf-16")),
    "ctm": (5, b";; a comment\nfuzz 1 0.10 0.25 one 0.99\nfuzz 1 0.35 0.15 two\n"),
    "phn": (6, b"0 1600 h#\n1600 3200 ah\n"),
    "wrd": (7, b"1600 3200 one\n"),
}
pages = {
    "query": (0, b"iy\nencoder.blocks.2.mlp.1\nphoneme\n1.25\nselectivity\ndown\n0\n100"),
    "excerpt": (1, b"12-0-2000"),
    "range": (2, b"bytes=100-299"),
}

generated = Path(__file__).parents[2] / "Sources/Messages/Generated/AllMessages.swift"
places = {name: place for place, name in enumerate(re.findall(r"^    ([\w.]+)\.self,$", generated.read_text(), re.M))}
kinds = {
    "frames": {f"{name}-{cut}": (cut, content) for name, content in connections.items() for cut in (7, 255)},
    "messages": {name: (places[name], content) for name, content in messages.items()},
    "checkpoints": checkpoints, "manifests": manifests, "pages": pages,
}
for kind, inputs in kinds.items():
    folder = Path(__file__).parent / "corpus" / kind
    folder.mkdir(parents=True, exist_ok=True)
    for name, (how, content) in inputs.items():
        folder.joinpath(name).write_bytes(bytes([how]) + content)
