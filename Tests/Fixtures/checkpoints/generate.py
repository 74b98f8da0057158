#!/usr/bin/env python3
"""Writes the tiny checkpoints of CheckpointFormatTests in every format, and the tensors to expect.

Run in a Python with torch 2.15, openai-whisper 20250625, safetensors 0.8 and numpy 2.4:

    python generate.py            # writes beside this script

Two models. `plain` has two layers of width 8 and the same weights in every format; its half-precision forms are rounded
by torch. `quantised` has one layer of width 32, ggml's block length, and one of each quantised type among its
tensors; its blocks are random bits, and the values that they stand for are worked out here in numpy, one element at a
time, from the layout in ggml's documentation of its types rather than with code shared with the reader.
Everything is drawn from fixed seeds, so a second run writes the same weights.
"""
import json
import os
import pickle
import struct
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from whisper.model import ModelDimensions, Whisper

HERE = Path(__file__).parent
PLAIN = ModelDimensions(n_mels=4, n_audio_ctx=6, n_audio_state=8, n_audio_head=2, n_audio_layer=2,
                        n_vocab=11, n_text_ctx=5, n_text_state=8, n_text_head=4, n_text_layer=2)
QUANTISED = ModelDimensions(n_mels=4, n_audio_ctx=6, n_audio_state=32, n_audio_head=2, n_audio_layer=1,
                            n_vocab=11, n_text_ctx=5, n_text_state=32, n_text_head=4, n_text_layer=1)


def weights(dims: ModelDimensions, seed: int) -> dict[str, torch.Tensor]:
    """Every tensor normally distributed: equal values could hide a swap of two tensors."""
    generator = torch.Generator().manual_seed(seed)
    state = Whisper(dims).state_dict()
    return {name: torch.randn(tensor.shape, generator=generator) for name, tensor in state.items()}


# Hugging Face ---------------------------------------------------------------------------------------------------

RENAMES = [("blocks", "layers"), (".cross_attn_ln", ".encoder_attn_layer_norm"), (".attn_ln", ".self_attn_layer_norm"),
           (".mlp_ln", ".final_layer_norm"), (".cross_attn.", ".encoder_attn."), (".attn.", ".self_attn."),
           (".query", ".q_proj"), (".key", ".k_proj"), (".value", ".v_proj"), (".out.", ".out_proj."),
           (".mlp.0", ".fc1"), (".mlp.2", ".fc2"), ("ln_post", "layer_norm"), ("decoder.ln.", "decoder.layer_norm."),
           ("positional_embedding", "embed_positions.weight"), ("token_embedding", "embed_tokens")]


def hugging_face_name(name: str) -> str:
    for ours, theirs in RENAMES:
        name = name.replace(ours, theirs)
    return "model." + name


def write_configs(folder: Path, dims: ModelDimensions) -> None:
    config = {
        "model_type": "whisper", "architectures": ["WhisperForConditionalGeneration"], "activation_function": "gelu",
        "num_mel_bins": dims.n_mels, "max_source_positions": dims.n_audio_ctx, "d_model": dims.n_audio_state,
        "encoder_attention_heads": dims.n_audio_head, "encoder_layers": dims.n_audio_layer,
        "vocab_size": dims.n_vocab, "max_target_positions": dims.n_text_ctx,
        "decoder_attention_heads": dims.n_text_head, "decoder_layers": dims.n_text_layer,
        "encoder_ffn_dim": 4 * dims.n_audio_state, "decoder_ffn_dim": 4 * dims.n_text_state,
        "scale_embedding": False, "suppress_tokens": [7], "dropout": 0.0,
    }
    generation = {"alignment_heads": [[1, 0], [1, 3]], "suppress_tokens": [1, 2, 10], "begin_suppress_tokens": [3, 4],
                  "max_initial_timestamp_index": 50, "no_timestamps_token_id": 9}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    (folder / "generation_config.json").write_text(json.dumps(generation, indent=2) + "\n")


def write_hugging_face(folder: Path, dims: ModelDimensions, state: dict, dtype=torch.float32, tied=False) -> None:
    folder.mkdir(exist_ok=True)
    write_configs(folder, dims)
    tensors = {hugging_face_name(name): tensor.to(dtype) for name, tensor in state.items()}
    if tied:
        tensors["proj_out.weight"] = tensors["model.decoder.embed_tokens.weight"].clone()
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def write_sharded(folder: Path, dims: ModelDimensions, state: dict) -> None:
    folder.mkdir(exist_ok=True)
    write_configs(folder, dims)
    names = sorted(hugging_face_name(name) for name in state)
    tensors = {hugging_face_name(name): tensor for name, tensor in state.items()}
    shards = {f"model-0000{i + 1}-of-00003.safetensors": names[i::3] for i in range(3)}
    for file, members in shards.items():
        save_file({name: tensors[name] for name in members}, folder / file, metadata={"format": "pt"})
    index = {"metadata": {"total_size": sum(4 * t.numel() for t in tensors.values())},
             "weight_map": {name: file for file, members in shards.items() for name in members}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=1) + "\n")


# openai ---------------------------------------------------------------------------------------------------------

def write_openai(path: Path, dims: ModelDimensions, state: dict) -> None:
    model = Whisper(dims)
    model.load_state_dict(state)
    # state_dict() itself, not a plain dict: it carries `_metadata`, which makes the pickle use BUILD
    torch.save({"dims": asdict(dims), "model_state_dict": model.state_dict()}, path)


def write_openai_oddly(path: Path, dims: ModelDimensions, state: dict) -> None:
    """Transposed tensors, one storage for two tensors, an offset into a storage, f16, bf16 and f64 side by side."""
    state = dict(state)
    transposed = "encoder.blocks.0.mlp.0.weight"
    state[transposed] = state[transposed].t().contiguous().t()
    convolution = "encoder.conv2.weight"
    state[convolution] = state[convolution].permute(2, 0, 1).contiguous().permute(1, 2, 0)
    pair = torch.cat([state["decoder.ln.weight"], state["decoder.ln.bias"]])
    state["decoder.ln.weight"], state["decoder.ln.bias"] = pair[:8], pair[8:]
    state["encoder.blocks.1.attn.query.weight"] = state["encoder.blocks.1.attn.query.weight"].half()
    state["encoder.blocks.1.attn.key.weight"] = state["encoder.blocks.1.attn.key.weight"].bfloat16()
    state["encoder.blocks.1.attn.value.weight"] = state["encoder.blocks.1.attn.value.weight"].double()
    torch.save({"dims": asdict(dims), "model_state_dict": state}, path)


class Evil:
    """What an attacker's pickle looks like: loading it the careless way runs a command."""

    def __reduce__(self):
        return (os.system, ("echo this must never be printed",))


def write_evil(path: Path) -> None:
    torch.save({"dims": Evil(), "model_state_dict": {}}, path)


# whisper.cpp ----------------------------------------------------------------------------------------------------

F32, F16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0 = 0, 1, 2, 3, 6, 7, 8


def ggml_header(dims: ModelDimensions, file_type: int) -> bytes:
    sizes = [dims.n_vocab, dims.n_audio_ctx, dims.n_audio_state, dims.n_audio_head, dims.n_audio_layer, dims.n_text_ctx,
             dims.n_text_state, dims.n_text_head, dims.n_text_layer, dims.n_mels, file_type]
    out = struct.pack("<I11i", 0x67676D6C, *sizes)
    out += struct.pack("<2i", dims.n_mels, 201) + np.zeros((dims.n_mels, 201), np.float32).tobytes()
    tokens = [b"a", b"b", b"", b"\xff\xfe", "é".encode(), b"hello"]
    return out + struct.pack("<i", len(tokens)) + b"".join(struct.pack("<i", len(t)) + t for t in tokens)


def ggml_tensor(name: str, shape: tuple, type_number: int, data: bytes) -> bytes:
    if name in ("encoder.conv1.bias", "encoder.conv2.bias"):
        shape = (shape[0], 1)
    out = struct.pack("<3i", len(shape), len(name), type_number)
    return out + struct.pack(f"<{len(shape)}i", *reversed(shape)) + name.encode() + data


def write_ggml(path: Path, dims: ModelDimensions, state: dict, half: bool) -> None:
    """As whisper.cpp's converter does: with `half`, matrices in f16, and vectors, positions and conv biases in f32."""
    out = ggml_header(dims, 1 if half else 0)
    for name, tensor in state.items():
        as_half = half and tensor.dim() >= 2 and "positional" not in name
        array = tensor.numpy().astype(np.float16 if as_half else np.float32)
        out += ggml_tensor(name, array.shape, F16 if as_half else F32, array.tobytes())
    path.write_bytes(out)


def random_block(kind: int, rng) -> tuple[bytes, list]:
    """32 elements: the block's bytes, and what they mean, element by element."""
    d, m = np.float16(rng.normal() / 8), np.float16(rng.normal())
    scaled = lambda q: np.float32(q) * np.float32(d)
    if kind == Q8_0:
        q = rng.integers(-128, 128, 32)
        return d.tobytes() + q.astype(np.int8).tobytes(), [scaled(x) for x in q]
    bits = 5 if kind in (Q5_0, Q5_1) else 4
    q = [int(x) for x in rng.integers(0, 2 ** bits, 32)]
    nibbles = bytes((q[j] & 15) | (q[j + 16] & 15) << 4 for j in range(16))
    fifths = struct.pack("<I", sum((q[j] >> 4) << j for j in range(32))) if bits == 5 else b""
    if kind in (Q4_1, Q5_1):
        return d.tobytes() + m.tobytes() + fifths + nibbles, [scaled(x) + np.float32(m) for x in q]
    return d.tobytes() + fifths + nibbles, [scaled(x - 2 ** (bits - 1)) for x in q]


def write_quantised(path: Path, expected: Path, dims: ModelDimensions, state: dict) -> None:
    rng = np.random.default_rng(11)
    block = "decoder.blocks.0.attn."
    kinds = {block + "query.weight": Q4_0, block + "key.weight": Q4_1, block + "value.weight": Q5_0,
             block + "out.weight": Q5_1, "decoder.token_embedding.weight": Q8_0}
    out = ggml_header(dims, 2 * 1000 + 2)  # version 2, mostly q4_0
    values = {}
    for name, tensor in state.items():
        shape = tuple(tensor.shape)
        if name in kinds:
            blocks = [random_block(kinds[name], rng) for _ in range(tensor.numel() // 32)]
            values[name] = torch.from_numpy(np.array([v for b in blocks for v in b[1]], np.float32).reshape(shape))
            out += ggml_tensor(name, shape, kinds[name], b"".join(b[0] for b in blocks))
        else:  # zeros in f16 where that is usual, so that the fixture stays small under compression
            half = len(shape) >= 2 and "positional" not in name
            out += ggml_tensor(name, shape, F16 if half else F32, bytes((2 if half else 4) * tensor.numel()))
    path.write_bytes(out)
    save_file(values, expected)


def main() -> None:
    plain = weights(PLAIN, seed=1)
    write_hugging_face(HERE / "hf-f32", PLAIN, plain)
    write_hugging_face(HERE / "hf-f16", PLAIN, plain, torch.float16, tied=True)
    write_hugging_face(HERE / "hf-bf16", PLAIN, plain, torch.bfloat16)
    write_sharded(HERE / "hf-sharded", PLAIN, plain)
    write_openai(HERE / "plain.pt", PLAIN, plain)
    write_openai_oddly(HERE / "odd.pt", PLAIN, plain)
    write_evil(HERE / "evil.pt")
    write_ggml(HERE / "plain-f32.bin", PLAIN, plain, half=False)
    write_ggml(HERE / "plain-f16.bin", PLAIN, plain, half=True)
    # What the half-precision forms mean, as torch widens them
    for name, dtype in [("f16", torch.float16), ("bf16", torch.bfloat16)]:
        save_file({k: v.to(dtype).float() for k, v in plain.items() if ".1.mlp" in k or "embedding" in k},
                  HERE / f"expected-{name}.safetensors")
    write_quantised(HERE / "quantised.bin", HERE / "expected-quantised.safetensors", QUANTISED,
                    weights(QUANTISED, seed=2))


if __name__ == "__main__":
    main()
