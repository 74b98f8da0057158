"""Makes the tokenizer fixtures from openai-whisper's vocabularies with tiktoken.

    python generate.py                writes the small fixtures beside this file
    python generate.py --full FOLDER  writes both whole vocabularies and thousands of random strings to FOLDER,
                                      for AUSCULT_TOKENIZER_FULL=FOLDER swift test --filter Tokenizer

Made with openai-whisper 20250625 and tiktoken 0.14.0. The first N ranks of a byte-level BPE are
themselves one, so the small vocabularies are the first ranks of the published ones.
"""

import base64
import json
import os
import random
import sys

import tiktoken
import whisper
from whisper.tokenizer import Tokenizer, get_encoding

HERE = os.path.dirname(os.path.abspath(__file__))
ASSETS = os.path.join(os.path.dirname(whisper.__file__), "assets")

TEXTS = [
    "", " ", "  ", "\n", "\r\n", "a", " a", "a ", "Hello, world!", " Hello world", "hello  world", "  two   spaces  ",
    "I'm sure they've said it'll do, he'd won't 'tis o'clock 'S 'LL don't'", "it's'll've", "'", "''s", " 's", "!'s",
    "tabs\tand\nnewlines\r\n\r\n  indented\n", "trailing whitespace \n \t ", "\u00a0nbsp\u00a0\u00a0x\u3000wide\u2003em",
    "x\u200bzero\u200cwidth\u200d\ufeff", "\x1c\x1d\x1e\x1f\x85\u2028\u2029", "nul\x00inside\x00\x00", "3.14159 1234567 ½ ² Ⅷ ٣٤ १२",
    "naïve café e\u0301te\u0301 o\u0308\u0323", "Привет, мир! Ёлка", "Ελληνικά", "你好,世界。中文", "日本語のテキスト、カタカナ", "한국어 문장",
    "العربية مرحبا ١٢٣", "עברית שלום", "हिन्दी नमस्ते", "ไทยสวัสดี", "ქართული", "🙂", "🙂🙂 🎉🎉", "👨‍👩‍👧‍👦 family", "🇫🇷🇬🇧", "👍🏽!", "♪♪♪ ♫ la la",
    "[MUSIC] (laughs) -- <<x>> {y} \"q\" `z` ~^_|", "<|endoftext|> <|en|><|0.00|>", "\U0001d54f\U00010348\U0010ffff\ue000",
    "ﬁ ﬂ ǆ ª º ʰ ˆ ´", "e\u0301\u0301\u0301 \u0301x", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" * 3,
    "thethethethe" * 20, " \n" * 7 + "x", "CamelCase snake_case kebab-case http://a.b/c?d=e#f", "Le cœur a ses raisons où l'on naît.",
    "Straße Größe ẞ", "ÀÉÎÕÜ àéîõü çñ", "1,000,000.00€ £5 ¥7 ₹", "a\u0000b\u007f\u0080\u00ff",
]

BLOCKS = [(0, 0x7F)] * 6 + [
    (0x80, 0x24F), (0x250, 0x36F), (0x370, 0x52F), (0x590, 0x6FF), (0x900, 0xDFF), (0xE00, 0x10FF), (0x1100, 0x1FFF),
    (0x2000, 0x206F), (0x2100, 0x27BF), (0x3000, 0x30FF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0xE000, 0xFFFD),
    (0x10000, 0x1FFFF), (0x1F300, 0x1F6FF), (0x20000, 0x10FFFF),
]
WORDS = " the quick brown fox can't we'll I've he'd don't traffic lights thank you merci beaucoup café straße".split()


def random_text(rng):
    out = []
    for _ in range(rng.randint(1, 12)):
        kind = rng.random()
        if kind < 0.35:
            out.append(rng.choice(WORDS))
        elif kind < 0.6:
            out.append(rng.choice([" ", "  ", "\n", "\t ", "\r\n", " \u00a0", "'", "'s", "'LL", "\x00", "   "]))
        else:
            low, high = rng.choice(BLOCKS)
            chars = (chr(rng.randint(low, high)) for _ in range(rng.randint(1, 6)))
            out.append("".join(c for c in chars if not 0xD800 <= ord(c) <= 0xDFFF))
    return "".join(out)


def encoding(name, ranks, languages=99):
    """openai-whisper's encoding, cut to its first `ranks` ranks."""
    whole = get_encoding(name, languages)
    cut = {t: r for t, r in whole._mergeable_ranks.items() if r < ranks}
    order = sorted(whole._special_tokens, key=whole._special_tokens.get)
    special = {token: len(cut) + i for i, token in enumerate(order)}
    return tiktoken.Encoding(
        name=f"{name}-{len(cut)}", pat_str=whole._pat_str, mergeable_ranks=cut, special_tokens=special
    )


def write_ranks(enc, path):
    with open(path, "w") as f:
        for token, rank in sorted(enc._mergeable_ranks.items(), key=lambda item: item[1]):
            f.write(f"{base64.b64encode(token).decode() or '='} {rank}\n")


def byte_level(token):
    """GPT-2's way to write bytes as text."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in printable]
    return "".join(chr(b) if b in printable else chr(256 + others.index(b)) for b in token)


def merge_of(ranks, token):
    """The two tokens whose merge makes `token`: what is left of it when only lower ranks merge."""
    parts = [bytes([b]) for b in token]
    while len(parts) > 2:
        pairs = [(ranks.get(a + b, 10**9), i) for i, (a, b) in enumerate(zip(parts, parts[1:]))]
        rank, i = min(pairs)
        assert rank < ranks[token]
        parts[i : i + 2] = [parts[i] + parts[i + 1]]
    return parts


def write_hugging_face(enc, path):
    """tokenizer.json as the first Hugging Face folders have it: its special tokens stop before the timestamps."""
    ranks = enc._mergeable_ranks
    merges = [" ".join(map(byte_level, merge_of(ranks, t))) for t in sorted(ranks, key=ranks.get) if len(t) > 1]
    added = [{"id": i, "content": t, "special": True} for t, i in enc._special_tokens.items() if "." not in t]
    for token in added:
        token["content"] = token["content"].replace("nospeech", "nocaptions")
    vocab = {byte_level(t): r for t, r in ranks.items()}
    file = {"added_tokens": added, "model": {"type": "BPE", "vocab": vocab, "merges": merges}}
    with open(path, "w") as f:
        json.dump(file, f, ensure_ascii=False, separators=(",", ":"))


def cases(enc, multilingual, languages, texts, rng):
    def tokenizer(language):
        return Tokenizer(
            encoding=enc,
            num_languages=languages,
            language=language if multilingual else None,
            task="transcribe" if multilingual else None,
        )

    english = tokenizer("en")
    result = {
        "nVocab": enc.n_vocab,
        "multilingual": multilingual,
        "startSequence": list(english.sot_sequence),
        "frenchStartSequence": list(tokenizer("fr").sot_sequence),
        "timestampBegin": english.timestamp_begin,
        "noSpeech": english.no_speech,
        "nonSpeech": list(english.non_speech_tokens),
        "languages": sorted(english.all_language_tokens),
        "texts": [{"text": t, "tokens": enc.encode_ordinary(t)} for t in texts],
        "decodes": [],
        "words": [],
    }
    # Any tokens in any order, broken UTF-8 among them.
    for _ in range(max(40, len(texts) // 4)):
        ids = [rng.randrange(enc.n_vocab) if rng.random() < 0.1 else rng.randrange(256) for _ in range(rng.randint(1, 14))]
        result["decodes"].append(
            {"tokens": ids, "text": english.decode(ids), "withTimestamps": english.decode_with_timestamps(ids)}
        )
    for text in texts:
        if not text or len(text) > 300:
            continue
        for language in ("en", "ja") if multilingual else ("en",):
            ids = enc.encode_ordinary(text) + [english.eot]
            words, tokens = tokenizer(language).split_to_word_tokens(ids)
            result["words"].append({"language": language, "tokens": ids, "words": words, "wordTokens": tokens})
    return result


def write(name, enc, multilingual, languages, texts, folder):
    write_ranks(enc, os.path.join(folder, f"{name}.tiktoken"))
    made = cases(enc, multilingual, languages, texts, random.Random(7))
    with open(os.path.join(folder, f"{name}.cases.json"), "w") as f:
        json.dump(made, f, ensure_ascii=True, separators=(",", ":"))
    print(name, enc.n_vocab, len(made["texts"]), "texts", len(made["words"]), "splits")


def main():
    rng = random.Random(20250625)
    if len(sys.argv) > 2 and sys.argv[1] == "--full":
        folder = sys.argv[2]
        os.makedirs(folder, exist_ok=True)
        texts = TEXTS + [random_text(rng) for _ in range(10_000)]
        write("multilingual", encoding("multilingual", 10**9), True, 99, texts, folder)
        write("multilingual-v3", encoding("multilingual", 10**9, 100), True, 100, texts[:500], folder)
        write("gpt2", encoding("gpt2", 10**9), False, 99, texts, folder)
        return
    texts = TEXTS + [random_text(rng) for _ in range(24)]
    small = encoding("multilingual", 1500)
    write("small-multilingual", small, True, 99, texts, HERE)
    write_hugging_face(small, os.path.join(HERE, "small-multilingual.tokenizer.json"))
    write("small-gpt2", encoding("gpt2", 1000), False, 99, texts, HERE)


main()
