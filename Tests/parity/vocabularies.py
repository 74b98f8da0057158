"""Vocabularies of Whisper checkpoints, and how Hugging Face spells them."""

import base64
import json
from dataclasses import dataclass
from pathlib import Path

import whisper
from whisper.tokenizer import LANGUAGES

PATTERN = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


@dataclass
class Vocabulary:
    """`ranks`: token bytes -> id. `special`: text -> id, in order of id, directly after the ranks."""
    ranks: dict
    special: dict

    def __len__(self):
        return len(self.ranks) + len(self.special)


def special_tokens(first, languages, timestamps):
    names = ["<|endoftext|>", "<|startoftranscript|>", *(f"<|{code}|>" for code in languages),
             "<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>",
             "<|notimestamps|>", *(f"<|{index * 0.02:.2f}|>" for index in range(timestamps))]
    return {name: first + index for index, name in enumerate(names)}


def read_tiktoken(path):
    lines = (line.split() for line in Path(path).read_text().splitlines() if line.strip())
    return {base64.b64decode(token): int(rank) for token, rank in lines}


def released(name, languages):
    """`multilingual` (99 languages, 100 in large-v3) or `gpt2` (the .en models), from openai-whisper's assets."""
    ranks = read_tiktoken(Path(whisper.__file__).parent / "assets" / f"{name}.tiktoken")
    return Vocabulary(ranks, special_tokens(len(ranks), list(LANGUAGES)[:languages], 1501))


def micro(timestamps):
    """256 bytes and a few merges: enough for a tokenizer, small enough for a fixture."""
    merges = [b"th", b" t", b" th", b" the", b"er", b" a", b"in", b"on", b"re", b"\xc3\xa9"]
    tokens = [bytes([byte]) for byte in range(256)] + merges
    ranks = {token: rank for rank, token in enumerate(tokens)}
    return Vocabulary(ranks, special_tokens(len(ranks), ("en", "fr"), timestamps))


def byte_characters():
    """GPT-2's printable character for each byte."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    table, spare = {byte: chr(byte) for byte in printable}, 256
    for byte in range(256):
        if byte not in table:
            table[byte], spare = chr(spare), spare + 1
    return table


def split(token, ranks):
    """The two tokens whose merge made `token`: byte-pair merging with only the ranks below its own."""
    parts = [bytes([byte]) for byte in token]
    while len(parts) > 2:
        candidates = [ranks.get(left + right, len(ranks)) for left, right in zip(parts, parts[1:])]
        rank, index = min((rank, index) for index, rank in enumerate(candidates))
        if rank >= ranks[token]:
            break
        parts[index:index + 2] = [parts[index] + parts[index + 1]]
    return parts if len(parts) == 2 else None


def huggingface(vocabulary):
    """-> (vocab, merges) as `vocab.json` and `merges.txt` spell them."""
    table = byte_characters()

    def spell(token):
        return "".join(table[byte] for byte in token)

    pairs = (split(token, vocabulary.ranks) for token in vocabulary.ranks if len(token) > 1)
    return ({spell(token): rank for token, rank in vocabulary.ranks.items()},
            [f"{spell(pair[0])} {spell(pair[1])}" for pair in pairs if pair])


def write_vocab_and_merges(vocabulary, folder):
    """`vocab.json`, `merges.txt`, `added_tokens.json`, as Whisper's slow tokenizer has them."""
    vocab, merges = huggingface(vocabulary)
    end = "<|endoftext|>"
    added = {name: index for name, index in vocabulary.special.items() if name != end}
    write_json({**vocab, end: vocabulary.special[end]}, folder / "vocab.json")
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n", encoding="utf-8")
    write_json(added, folder / "added_tokens.json")


def write_tokenizer_json(vocabulary, folder):
    """`tokenizer.json`, as the fast tokenizer has it."""
    vocab, merges = huggingface(vocabulary)
    added = [{"id": index, "content": name, "single_word": False, "lstrip": False, "rstrip": False,
              "normalized": False, "special": True} for name, index in vocabulary.special.items()]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    write_json({"version": "1.0", "added_tokens": added, "normalizer": None, "pre_tokenizer": byte_level,
                "decoder": byte_level, "model": {"type": "BPE", "vocab": vocab, "merges": merges}},
               folder / "tokenizer.json")


def write_json(value, path):
    Path(path).write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
