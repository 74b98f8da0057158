"""Checkpoints of random weights whose activations have realistic sizes, the default model, and released ones.

Untrained initial values would make every softmax flat and hide errors in it: here scores have a standard
deviation near 3, logits near 2, and a few channels of the residual stream are as large as a trained Whisper's.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file
from whisper.model import ModelDimensions, Whisper, sinusoids

import ctranslate2
import layouts
import vocabularies

#: Where `make released` puts the weights of tiny.en and base.
RELEASED = Path(os.environ.get("AUSCULT_RELEASED", Path(__file__).resolve().parents[2] / ".build" / "released"))
RELEASED_NAMES = ("tiny.en", "base")


@dataclass
class Weights:
    """`state`: openai-whisper's names -> float32 arrays."""
    name: str
    dimensions: ModelDimensions
    state: dict
    vocabulary: vocabularies.Vocabulary
    prompt: list
    source: Path = None  # where they were read


def random_state(dimensions, seed):
    generator = np.random.default_rng(seed)
    shapes = {name: tuple(value.shape) for name, value in Whisper(dimensions).state_dict().items()}
    state = {name: random_tensor(name, shape, generator) for name, shape in shapes.items()}
    state["encoder.positional_embedding"] = sinusoids(dimensions.n_audio_ctx, dimensions.n_audio_state).numpy()
    for part in ("encoder", "decoder"):
        state[f"{part}.blocks.0.mlp.2.bias"][:2] += (12, -8)  # the outlier channels of a trained model
    return {name: value.astype(np.float32) for name, value in state.items()}


def random_tensor(name, shape, generator):
    values = generator.standard_normal(shape)
    if "ln" in name.split(".")[-2]:
        return 1 + 0.1 * values if name.endswith("weight") else 0.1 * values
    if name.endswith("bias"):
        return 0.1 * values
    if name == "decoder.token_embedding.weight":
        return values * 2 / np.sqrt(shape[1])
    if name == "decoder.positional_embedding":
        return 0.1 * values
    gain = 1.7 if ".query." in name or ".key." in name else 1.0
    return values * gain / np.sqrt(np.prod(shape[1:]))


def random_weights(name, dimensions, vocabulary, seed):
    special = vocabulary.special
    start = [special["<|startoftranscript|>"]]
    if "<|en|>" in special and dimensions.n_vocab != 51864:  # the .en models know neither language nor task
        start += [special["<|en|>"], special["<|transcribe|>"]]
    ordinary = np.random.default_rng(seed + 1).integers(0, len(vocabulary.ranks), 8).tolist()
    state = random_state(dimensions, seed)
    return Weights(name, dimensions, state, vocabulary, start + [special["<|notimestamps|>"]] + ordinary)


def tiny():
    dimensions = ModelDimensions(80, 1500, 384, 6, 4, 51865, 448, 384, 6, 4)
    return random_weights("tiny", dimensions, vocabularies.released("multilingual", 99), seed=1)


def turbo():
    """As large-v3-turbo: 128 bands, 51,866 tokens, a decoder shallower than the encoder; narrower."""
    dimensions = ModelDimensions(128, 1500, 256, 4, 4, 51866, 448, 256, 8, 2)
    return random_weights("turbo", dimensions, vocabularies.released("multilingual", 100), seed=2)


def english():
    """An `.en` model: the GPT-2 vocabulary."""
    dimensions = ModelDimensions(80, 1500, 192, 3, 2, 51864, 448, 192, 3, 3)
    return random_weights("english", dimensions, vocabularies.released("gpt2", 99), seed=3)


def default_model(folder):
    """The trained model of this repository, from its Hugging Face folder."""
    folder = Path(folder)
    dimensions, state = folder_state(folder)
    vocabulary = stored_vocabulary(folder)
    special = vocabulary.special
    start = [special[f"<|{name}|>"] for name in ("startoftranscript", "en", "transcribe", "notimestamps")]
    return Weights("default", dimensions, state, vocabulary, start + list(range(300, 310)), folder)


def builders(default, random=("tiny", "turbo", "english")):
    """Name -> what makes the weights: of random ones those named, the default model's, and those of released ones."""
    made = {"tiny": tiny, "turbo": turbo, "english": english}
    return ({name: made[name] for name in random} | {"default": lambda: default_model(default)}
            | {name: lambda name=name: released(name) for name in RELEASED_NAMES if has_released(name)})


def passes(builders, only, check):
    """Whether `check` passes for each of the weights, or for those in `only`; None where none of them is among these."""
    chosen = [build for name, build in builders.items() if not only or name in only]
    if not chosen:
        print(f"none of {', '.join(only)} is among {', '.join(builders)}")
        return None
    return all([check(build()) for build in chosen])


def has_released(name):
    """Whether the weights are there; says where they were looked for if not."""
    there = (RELEASED / f"whisper-{name}" / "model.bin").exists()
    if not there:
        print(f"{name}: left out, its weights are not in {RELEASED} (make released)")
    return there


def released(name):
    """A released model, from its CTranslate2 folder."""
    folder = RELEASED / f"whisper-{name}"
    dimensions, state = ctranslate2.state(folder)
    vocabulary = stored_vocabulary(folder)
    start = ["startoftranscript", "en", "transcribe", "notimestamps"]
    if dimensions.n_vocab == 51864:  # the .en models know neither language nor task
        start = ["startoftranscript", "notimestamps"]
    tokens = [vocabulary.special[f"<|{name}|>"] for name in start] + list(range(300, 310))
    return Weights(name, dimensions, state, vocabulary, tokens, folder)


def folder_state(folder):
    """Sizes and weights of a Hugging Face folder, as openai-whisper has them: dimensions, and its names -> float32."""
    folder = Path(folder)
    config = json.loads((folder / "config.json").read_text())
    dimensions = ModelDimensions(
        config["num_mel_bins"], config["max_source_positions"], config["d_model"], config["encoder_attention_heads"],
        config["encoder_layers"], config["vocab_size"], config["max_target_positions"], config["d_model"],
        config["decoder_attention_heads"], config["decoder_layers"])
    names = layouts.openai_names(dimensions)
    stored = load_file(folder / "model.safetensors")
    return dimensions, {names[name]: value.astype(np.float32) for name, value in stored.items() if name in names}


def stored_vocabulary(folder):
    """From `tokenizer.json`, or `vocab.json` and `added_tokens.json`."""
    path = folder / "tokenizer.json"
    if path.exists():
        tokenizer = json.loads(path.read_text(encoding="utf-8"))
        vocab = tokenizer["model"]["vocab"]
        special = {token["content"]: token["id"] for token in tokenizer["added_tokens"]}
    else:
        vocab = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
        special = json.loads((folder / "added_tokens.json").read_text(encoding="utf-8"))
        special.update({name: index for name, index in vocab.items() if name.startswith("<|") and name.endswith("|>")})
    bytes_of = {character: byte for byte, character in vocabularies.byte_characters().items()}
    ranks = {bytes(bytes_of[character] for character in token): rank
             for token, rank in vocab.items() if token not in special}
    return vocabularies.Vocabulary(ranks, dict(sorted(special.items(), key=lambda item: item[1])))
