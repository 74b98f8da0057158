"""Write the trained model as a Hugging Face folder:  python -m recipe.export TOKENIZER OUT CHECKPOINT ...

`transformers` and Auscult read the folder. `--pt FILE` also writes openai-whisper's format with the same (rounded) weights,
so that the three implementations can be compared on equal terms. Of several checkpoints the mean is written, with `--start` the weights
halfway from those that a further run began with to it, or another `--share` of that way, with `--random` untrained weights.
"""

import argparse
import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from . import openai
from .network import GUIDED_BLOCK, GUIDED_HEADS, build
from .tokenizer import LANGUAGES, PATTERN, SPECIAL_TOKENS, VOCABULARY, Tokenizer

# Part of openai's name -> part of Hugging Face's; the order matters where one name contains another.
RENAMES = [
    ("blocks.", "layers."), ("cross_attn_ln.", "encoder_attn_layer_norm."), ("cross_attn.", "encoder_attn."),
    ("attn_ln.", "self_attn_layer_norm."), ("mlp_ln.", "final_layer_norm."), ("mlp.0.", "fc1."), ("mlp.2.", "fc2."),
    (".query.", ".q_proj."), (".key.", ".k_proj."), (".value.", ".v_proj."), (".out.", ".out_proj."),
    ("encoder.ln_post.", "encoder.layer_norm."), ("decoder.ln.", "decoder.layer_norm."),
    ("token_embedding.", "embed_tokens."), ("positional_embedding", "embed_positions.weight"),
]


def hugging_face_name(name: str) -> str:
    for ours, theirs in RENAMES:
        name = name.replace(ours, theirs)
    # Only self-attention is still called `attn` now, and only behind a layer's number.
    parts = ["self_attn" if part == "attn" else part for part in name.split(".")]
    return "model." + ".".join(parts)


def load_folder(folder: Path) -> dict[str, torch.Tensor]:
    """The weights of an exported folder, float32, under openai's names."""
    tensors = load_file(Path(folder, "model.safetensors"))
    described = json.loads(Path(folder, "config.json").read_text())
    names = build(described["vocab_size"]).state_dict()
    return {name: tensors[hugging_face_name(name)].float() for name in names}


def move_part_of_the_way(model, start: Path, share=0.5):
    """To between the weights of an exported folder and its own: a short further run forgets, and a part of its way keeps more
    of what it learnt than of what it forgot."""
    begun = load_folder(start)
    model.load_state_dict({name: share * tensor + (1 - share) * begun[name] for name, tensor in model.state_dict().items()})


def config(dims, tokenizer: Tokenizer) -> dict:
    return {
        "architectures": ["WhisperForConditionalGeneration"], "model_type": "whisper", "torch_dtype": "float16",
        "vocab_size": dims.n_vocab, "num_mel_bins": dims.n_mels, "d_model": dims.n_audio_state,
        "max_source_positions": dims.n_audio_ctx, "max_target_positions": dims.n_text_ctx,
        "encoder_layers": dims.n_audio_layer, "encoder_attention_heads": dims.n_audio_head,
        "encoder_ffn_dim": 4 * dims.n_audio_state, "decoder_layers": dims.n_text_layer,
        "decoder_attention_heads": dims.n_text_head, "decoder_ffn_dim": 4 * dims.n_text_state,
        "num_hidden_layers": dims.n_audio_layer, "activation_function": "gelu", "scale_embedding": False,
        "dropout": 0.0, "attention_dropout": 0.0, "activation_dropout": 0.0, "encoder_layerdrop": 0.0,
        "decoder_layerdrop": 0.0, "init_std": 0.02, "is_encoder_decoder": True, "tie_word_embeddings": True,
        "use_cache": True, "decoder_start_token_id": tokenizer.start, "bos_token_id": tokenizer.end,
        "eos_token_id": tokenizer.end, "pad_token_id": tokenizer.end, "max_length": dims.n_text_ctx,
    }


def generation_config(dims, tokenizer: Tokenizer, alignment_heads) -> dict:
    return {
        "alignment_heads": [list(head) for head in alignment_heads],
        "begin_suppress_tokens": openai.begin_suppressed_tokens(tokenizer),
        "suppress_tokens": openai.suppressed_tokens(tokenizer),
        "bos_token_id": tokenizer.end, "eos_token_id": tokenizer.end, "pad_token_id": tokenizer.end,
        "decoder_start_token_id": tokenizer.start, "prev_sot_token_id": tokenizer.special["<|startofprev|>"],
        "no_timestamps_token_id": tokenizer.no_timestamps, "is_multilingual": True,
        "lang_to_id": {f"<|{language}|>": tokenizer.language(language) for language in LANGUAGES},
        "task_to_id": {"transcribe": tokenizer.transcribe, "translate": tokenizer.special["<|translate|>"]},
        "return_timestamps": False, "max_initial_timestamp_index": 50, "max_length": dims.n_text_ctx,
    }


def preprocessor_config(dims) -> dict:
    seconds = 2 * dims.n_audio_ctx // 100
    return {
        "feature_extractor_type": "WhisperFeatureExtractor", "processor_class": "WhisperProcessor",
        "feature_size": dims.n_mels, "sampling_rate": 16_000, "hop_length": 160, "n_fft": 400, "chunk_length": seconds,
        "n_samples": 16_000 * seconds, "nb_max_frames": 100 * seconds, "padding_side": "right", "padding_value": 0.0,
        "return_attention_mask": False,
    }


def _byte_characters() -> dict[int, str]:
    """GPT-2's printable stand-in for every byte."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    table = {byte: chr(byte) for byte in printable}
    table.update((byte, chr(256 + index)) for index, byte in enumerate(b for b in range(256) if b not in table))
    return table


def tokenizer_json(tokenizer: Tokenizer) -> dict:
    """The `tokenizers` format. Ranks hold no merges: as in Hugging Face's converter, every way of cutting a token in two
    tokens is a merge, with the token's own rank as its priority."""
    characters, ranks = _byte_characters(), tokenizer.ranks
    text = lambda token: "".join(characters[byte] for byte in token)  # noqa: E731
    merges = []
    for token in sorted(ranks, key=ranks.get):
        cuts = [(token[:at], token[at:]) for at in range(1, len(token)) if token[:at] in ranks and token[at:] in ranks]
        merges += sorted(cuts, key=lambda cut: (ranks[cut[0]], ranks[cut[1]]))
    added = [{"id": index, "content": token, "single_word": False, "lstrip": False, "rstrip": False,
              "normalized": False, "special": index < tokenizer.first_timestamp}
             for token, index in tokenizer.special.items()]
    special = lambda token: {"SpecialToken": {"id": token, "type_id": 0}}  # noqa: E731
    sequence = lambda name: {"Sequence": {"id": name, "type_id": 0}}  # noqa: E731
    head, tail = ["<|startoftranscript|>", "<|notimestamps|>"], "<|endoftext|>"
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [*map(special, head), sequence("A"), special(tail)],
            "pair": [*map(special, head), sequence("A"), sequence("B"), special(tail)],
            "special_tokens": {token: {"id": token, "ids": [tokenizer.special[token]], "tokens": [token]}
                               for token in (*head, tail)},
        },
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {
            "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
            "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
            "vocab": {text(token): rank for token, rank in ranks.items()},
            "merges": [[text(left), text(right)] for left, right in merges],
        },
    }


def tokenizer_config(dims, tokenizer: Tokenizer) -> dict:
    return {
        "tokenizer_class": "WhisperTokenizer", "processor_class": "WhisperProcessor", "add_prefix_space": False,
        "bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>",
        "pad_token": "<|endoftext|>", "errors": "replace", "model_max_length": dims.n_text_ctx,
        "clean_up_tokenization_spaces": False,
    }


def export(model, tokenizer_folder: Path, out: Path, alignment_heads):
    tokenizer = Tokenizer(tokenizer_folder)
    out.mkdir(parents=True, exist_ok=True)
    tensors = {hugging_face_name(name): tensor.detach().half().contiguous()
               for name, tensor in model.state_dict().items()}
    save_file(tensors, out / "model.safetensors", metadata={"format": "pt"})
    documents = {
        "config.json": config(model.dims, tokenizer),
        "generation_config.json": generation_config(model.dims, tokenizer, alignment_heads),
        "preprocessor_config.json": preprocessor_config(model.dims),
        "tokenizer.json": tokenizer_json(tokenizer),
        "tokenizer_config.json": tokenizer_config(model.dims, tokenizer),
    }
    for name, document in documents.items():
        (out / name).write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n")
    (out / "model.safetensors").chmod(0o644)  # safetensors makes it private
    for name in (VOCABULARY, SPECIAL_TOKENS):
        if Path(tokenizer_folder) != out:
            shutil.copy(Path(tokenizer_folder, name), out / name)


def _heads(text: str):
    """`1.0,1.1` -> [(1, 0), (1, 1)]: decoder block, head."""
    return [tuple(map(int, head.split("."))) for head in text.split(",")]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tokenizer", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("checkpoints", type=Path, nargs="*", help="model-*.pt of a training run")
    parser.add_argument("--pt", type=Path, help="also write openai-whisper's format here")
    parser.add_argument("--start", type=Path, help="the exported folder that the run began from: write the weights halfway")
    parser.add_argument("--share", type=float, default=0.5, help="with --start: of the way to the checkpoints")
    parser.add_argument("--random", action="store_true", help="untrained weights")
    parser.add_argument("--alignment-heads", type=_heads, default=[(GUIDED_BLOCK, head) for head in GUIDED_HEADS],
                        help="decoder block and head pairs, as recipe.evaluate measures them: 1.0,1.1")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    if not arguments.random and not arguments.checkpoints:
        parser.error("name a checkpoint, or --random")
    model = (build(Tokenizer(arguments.tokenizer).size) if arguments.random
             else openai.load_average(arguments.checkpoints))
    if arguments.start:
        move_part_of_the_way(model, arguments.start, arguments.share)
    export(model, arguments.tokenizer, arguments.out, arguments.alignment_heads)
    if arguments.pt:
        rounded = {name: tensor.half() for name, tensor in model.state_dict().items()}
        torch.save({"dims": vars(model.dims), "model_state_dict": rounded}, arguments.pt)
    size = sum(path.stat().st_size for path in arguments.out.iterdir())
    print(json.dumps({"folder": str(arguments.out), "bytes": size}))


if __name__ == "__main__":
    main()
