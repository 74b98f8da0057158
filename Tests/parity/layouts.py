"""One set of weights in the three file formats that auscult reads.

Weights are a dict of float32 arrays under openai-whisper's names, embeddings of the positions included.
"""

import struct
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file
from whisper.audio import mel_filters

import vocabularies

GGML_MAGIC = 0x67676D6C
#: ggml keeps these in float32 even in an f16 file, as every tensor of one dimension.
GGML_KEPT = ("encoder.conv1.bias", "encoder.conv2.bias", "encoder.positional_embedding", "decoder.positional_embedding")


def write_openai(path, dimensions, state):
    """`torch.save` of `dims` and `model_state_dict`."""
    tensors = {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in state.items()}
    torch.save({"dims": dict(vars(dimensions)), "model_state_dict": tensors}, path)


def write_huggingface(folder, dimensions, state, vocabulary, fast=True):
    """`config.json`, `model.safetensors` and the tokenizer: `tokenizer.json`, or the slow tokenizer's files."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {huggingface_name(name): np.ascontiguousarray(value) for name, value in state.items()}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    vocabularies.write_json(huggingface_config(dimensions, vocabulary), folder / "config.json")
    vocabularies.write_json(huggingface_generation(vocabulary), folder / "generation_config.json")
    write = vocabularies.write_tokenizer_json if fast else vocabularies.write_vocab_and_merges
    write(vocabulary, folder)


def huggingface_name(name):
    """`encoder.blocks.0.attn.query.weight` -> `model.encoder.layers.0.self_attn.q_proj.weight`."""
    for ours, theirs in (
        ("positional_embedding", "embed_positions.weight"), ("token_embedding", "embed_tokens"),
        ("blocks.", "layers."), ("ln_post.", "layer_norm."), ("decoder.ln.", "decoder.layer_norm."),
        (".mlp.0.", ".fc1."), (".mlp.2.", ".fc2."), (".mlp_ln.", ".final_layer_norm."),
        (".cross_attn_ln.", ".encoder_attn_layer_norm."), (".attn_ln.", ".self_attn_layer_norm."),
        (".cross_attn.", ".encoder_attn."), (".attn.", ".self_attn."),
        (".query.", ".q_proj."), (".key.", ".k_proj."), (".value.", ".v_proj."), (".out.", ".out_proj."),
    ):
        name = name.replace(ours, theirs)
    return f"model.{name}"


def openai_names(dimensions):
    """Hugging Face's name -> openai's, for the weights of a model of these sizes."""
    from whisper.model import Whisper
    return {huggingface_name(name): name for name in Whisper(dimensions).state_dict()}


def huggingface_config(dimensions, vocabulary):
    special = vocabulary.special
    return {
        "model_type": "whisper", "architectures": ["WhisperForConditionalGeneration"], "torch_dtype": "float32",
        "num_mel_bins": dimensions.n_mels, "max_source_positions": dimensions.n_audio_ctx,
        "d_model": dimensions.n_audio_state, "vocab_size": dimensions.n_vocab,
        "encoder_layers": dimensions.n_audio_layer, "encoder_attention_heads": dimensions.n_audio_head,
        "encoder_ffn_dim": 4 * dimensions.n_audio_state, "max_target_positions": dimensions.n_text_ctx,
        "decoder_layers": dimensions.n_text_layer, "decoder_attention_heads": dimensions.n_text_head,
        "decoder_ffn_dim": 4 * dimensions.n_text_state, "activation_function": "gelu", "scale_embedding": False,
        "decoder_start_token_id": special["<|startoftranscript|>"], "bos_token_id": special["<|endoftext|>"],
        "eos_token_id": special["<|endoftext|>"], "pad_token_id": special["<|endoftext|>"],
    }


def huggingface_generation(vocabulary):
    special, languages = vocabulary.special, {}
    for name, index in special.items():
        if special["<|startoftranscript|>"] < index < special["<|translate|>"]:
            languages[name] = index
    return {"decoder_start_token_id": special["<|startoftranscript|>"], "eos_token_id": special["<|endoftext|>"],
            "lang_to_id": languages, "no_timestamps_token_id": special["<|notimestamps|>"],
            "prev_sot_token_id": special["<|startofprev|>"], "max_initial_timestamp_index": 50,
            "task_to_id": {"transcribe": special["<|transcribe|>"], "translate": special["<|translate|>"]}}


def ggml_is_half(name, shape):
    """Whether an f16 file stores this tensor as float16."""
    return len(shape) >= 2 and name not in GGML_KEPT


def half_rounded(state):
    """The weights as a reader of the f16 file sees them."""
    return {name: value.astype(np.float16).astype(np.float32) if ggml_is_half(name, value.shape) else value
            for name, value in state.items()}


def write_ggml(path, dimensions, state, vocabulary, half=False):
    """whisper.cpp's layout: header, mel filters, tokens, then tensors with extents innermost first.

    whisper.cpp's converter writes the ordinary tokens only; so does this.
    """
    sizes = vars(dimensions)
    header = [sizes[name] for name in (
        "n_vocab", "n_audio_ctx", "n_audio_state", "n_audio_head", "n_audio_layer",
        "n_text_ctx", "n_text_state", "n_text_head", "n_text_layer", "n_mels")]
    with open(path, "wb") as file:
        file.write(struct.pack("<12i", GGML_MAGIC, *header, int(half)))
        filters = ggml_filters(dimensions.n_mels)
        file.write(struct.pack("<2i", *filters.shape) + filters.astype("<f4").tobytes())
        tokens = sorted(vocabulary.ranks, key=vocabulary.ranks.get)
        file.write(struct.pack("<i", len(tokens)))
        for token in tokens:
            file.write(struct.pack("<i", len(token)) + token)
        for name, value in state.items():
            write_ggml_tensor(file, name, value, half and ggml_is_half(name, value.shape))


def write_ggml_tensor(file, name, value, half):
    if name in ("encoder.conv1.bias", "encoder.conv2.bias"):
        value = value[:, None]  # whisper.cpp adds the bias as a column
    encoded = name.encode()
    file.write(struct.pack("<3i", value.ndim, len(encoded), int(half)))
    file.write(struct.pack(f"<{value.ndim}i", *reversed(value.shape)))
    file.write(encoded + np.ascontiguousarray(value, dtype="<f2" if half else "<f4").tobytes())


def ggml_filters(bands):
    """The mel filter bank, `[bands, 201]`; a micro model's band count has none, and nothing reads its filters."""
    return mel_filters("cpu", bands).numpy() if bands in (80, 128) else np.zeros((bands, 201), np.float32)
