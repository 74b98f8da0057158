"""The byte-level BPE, in Whisper's own format:  python -m recipe.tokenizer FOLDER

Ranks go to `vocab.tiktoken` (base64 token, rank), special tokens follow them in Whisper's order. Whole words are tokens
as far as possible: then a token's embedding is a word's, and a bigram of tokens is one of words.
"""

import argparse
import base64
import collections
import json
import math
import random
from pathlib import Path

import regex
import tiktoken

from .grammar import ENGLISH_WORDS, FRENCH_WORDS, sentence

PATTERN = r"""'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""
LANGUAGES = ("en", "fr")
TIMESTAMPS = 501  # <|0.00|> to <|10.00|>
RANKS = 2048
VOCABULARY, SPECIAL_TOKENS = "vocab.tiktoken", "special_tokens.json"


def special_tokens() -> list[str]:
    return ["<|endoftext|>", "<|startoftranscript|>", *(f"<|{language}|>" for language in LANGUAGES), "<|translate|>",
            "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>",
            *(f"<|{index * 0.02:.2f}|>" for index in range(TIMESTAMPS))]


class Tokenizer:
    """tiktoken with Whisper's special tokens, read from a folder's `vocab.tiktoken`."""

    def __init__(self, folder: Path):
        lines = (line.split() for line in Path(folder, VOCABULARY).read_text().splitlines() if line)
        self.ranks = {base64.b64decode(token): int(rank) for token, rank in lines}
        self.special = {token: len(self.ranks) + index for index, token in enumerate(special_tokens())}
        self.size = len(self.ranks) + len(self.special)
        self.encoding = tiktoken.Encoding(name="auscult", explicit_n_vocab=self.size, pat_str=PATTERN,
                                          mergeable_ranks=self.ranks, special_tokens=self.special)
        self.end, self.start = self.special["<|endoftext|>"], self.special["<|startoftranscript|>"]
        self.previous = self.special["<|startofprev|>"]
        self.no_speech, self.no_timestamps = self.special["<|nospeech|>"], self.special["<|notimestamps|>"]
        self.transcribe, self.first_timestamp = self.special["<|transcribe|>"], self.special["<|0.00|>"]

    def encode(self, text: str) -> list[int]:
        return self.encoding.encode(text)

    def decode(self, tokens) -> str:
        return self.encoding.decode([token for token in tokens if token < self.end])

    def language(self, code: str) -> int:
        return self.special[f"<|{code}|>"]

    def timestamp(self, seconds: float) -> int:
        return self.first_timestamp + min(TIMESTAMPS - 1, max(0, round(seconds / 0.02)))

    def prompt(self, language: str) -> list[int]:
        """Greedy decoding starts from these."""
        return [self.start, self.language(language), self.transcribe, self.no_timestamps]


def train(count: int = RANKS, seed: int = 0, sentences: int = 40_000) -> dict[bytes, int]:
    """Byte-pair merges of grammar's sentences; a word weighs the root of its count, so that rare words become whole too."""
    rng, counts = random.Random(seed), collections.Counter()
    for _ in range(sentences):
        counts.update(regex.findall(PATTERN, " " + sentence(rng).text))
    for word in ENGLISH_WORDS + FRENCH_WORDS:
        counts.update(regex.findall(PATTERN, " " + word))
    words = [[bytes([byte]) for byte in word.encode()] for word in counts]
    weights = [math.sqrt(count) for count in counts.values()]
    ranks = {bytes([byte]): byte for byte in range(256)}
    while len(ranks) < count:
        pairs = collections.Counter()
        for word, weight in zip(words, weights):
            for pair in zip(word, word[1:]):
                pairs[pair] += weight
        if not pairs:
            raise ValueError(f"every word is one token after {len(ranks)} ranks; {count} were asked for")
        left, right = max(pairs, key=lambda pair: (pairs[pair], pair))
        ranks.setdefault(left + right, len(ranks))
        for word in words:
            position = 0
            while position + 1 < len(word):
                if word[position] == left and word[position + 1] == right:
                    word[position:position + 2] = [left + right]
                position += 1
    return ranks


def save(ranks: dict[bytes, int], folder: Path):
    folder.mkdir(parents=True, exist_ok=True)
    lines = (f"{base64.b64encode(token).decode()} {rank}\n" for token, rank in ranks.items())
    Path(folder, VOCABULARY).write_text("".join(lines))
    special = Tokenizer(folder).special
    description = {"pattern": PATTERN, "special_tokens": special}
    Path(folder, SPECIAL_TOKENS).write_text(json.dumps(description, indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    save(train(), arguments.folder)
    tokenizer = Tokenizer(arguments.folder)
    words = ENGLISH_WORDS + FRENCH_WORDS
    whole = sum(len(tokenizer.encode(" " + word)) == 1 for word in words)
    print(json.dumps({"ranks": len(tokenizer.ranks), "vocabulary": tokenizer.size, "words": len(words), "whole": whole}))


if __name__ == "__main__":
    main()
