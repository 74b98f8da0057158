"""Makes the decoding fixtures: a tiny Whisper, and what openai-whisper decodes with it.

    python generate.py            decodes with tiny.pt, which lies beside this file
    python generate.py --train    trains tiny.pt anew first (a minute)

The model (45,000 weights, windows of 1 s, 8 bands) hears "words": each of eight words lights up its own bands for
a while. So its transcripts have words, timestamps and ends, and its cross-attention follows the audio.
The log-mel is stored in 1/32, so that both sides read the same numbers.

Made with openai-whisper 20250625 and torch 2.15.0.
"""

import base64
import json
import os
import sys

import numpy as np
import torch
import whisper
from whisper.decoding import DecodingOptions
from whisper.model import ModelDimensions, Whisper
from whisper.tokenizer import get_encoding

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "parity"))
from decoding import encoding, taught  # noqa: E402

DIMS = ModelDimensions(
    n_mels=8, n_audio_ctx=50, n_audio_state=24, n_audio_head=2, n_audio_layer=2,
    n_vocab=361, n_text_ctx=40, n_text_state=24, n_text_head=2, n_text_layer=2,
)
WORDS = [" the", " on", " in.", " at", " zoé", " do", " \"we\"", " it?"]
BANDS = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6), (6, 7), (0, 4)]
RANKS = {t: r for t, r in get_encoding("multilingual")._mergeable_ranks.items() if r < 300}
NAMES = ["<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|fr|>", "<|translate|>", "<|transcribe|>",
         "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>",
         *(f"<|{i * 0.02:.2f}|>" for i in range(51))]
SPECIAL = {name: 300 + i for i, name in enumerate(NAMES)}
OWN = encoding(RANKS, SPECIAL)


def quantised(mel):
    return np.round(mel * 32) / 32


def sound(rng, frames, french, wordless=0.1, words=8):
    """-> mel [8, frames], and [(word, first frame, last frame)]."""
    mel = rng.normal(-1.0, 0.08, (8, frames))
    spoken, at = [], int(rng.integers(2, 14))
    silent = rng.random() < wordless
    while not silent and len(spoken) < words:
        length = int(rng.integers(12, 26))
        if at + length + 2 > frames:
            break
        index = int(rng.integers(0, 8))
        mel[list(BANDS[index]), at:at + length] += 1.8
        if french:
            mel[7, at:at + length] += 0.9
        spoken.append((index, at, at + length))
        at += length + int(rng.integers(2, 30) if rng.random() < 0.4 else rng.integers(2, 5))
    return quantised(mel), spoken


def target(rng, spoken, french, frames=100):
    start = [SPECIAL["<|startoftranscript|>"]]
    if not spoken:
        return start + [SPECIAL["<|nospeech|>"], SPECIAL["<|endoftext|>"]]
    start += [SPECIAL["<|fr|>" if french else "<|en|>"], SPECIAL["<|transcribe|>"]]
    begin = SPECIAL["<|0.00|>"]
    if rng.random() < 0.3:
        start.append(SPECIAL["<|notimestamps|>"])
        return start + [t for i, _, _ in spoken for t in OWN.encode(WORDS[i])] + [SPECIAL["<|endoftext|>"]]
    tokens, open_segment = start, False
    for n, (index, first, last) in enumerate(spoken):
        if not open_segment:
            tokens.append(begin + first // 2)
            open_segment = True
        tokens += OWN.encode(WORDS[index])
        gap = (spoken[n + 1][1] if n + 1 < len(spoken) else frames) - last
        if gap > 5 or n + 1 == len(spoken):
            tokens.append(begin + last // 2)
            open_segment = False
    return tokens + [SPECIAL["<|endoftext|>"]]


def train():
    torch.manual_seed(1)
    torch.set_num_threads(1)
    rng = np.random.default_rng(1)
    model = Whisper(DIMS)
    for name, p in model.named_parameters():
        if "positional" in name:
            torch.nn.init.normal_(p, std=0.02)
        elif "token_embedding" in name:
            torch.nn.init.normal_(p, std=0.2)
    steps = 1500
    opt = torch.optim.AdamW(model.parameters(), lr=4e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(opt, 4e-3, total_steps=steps)
    for step in range(steps):
        mels, rows = [], []
        for _ in range(32):
            french = rng.random() < 0.4
            mel, spoken = sound(rng, 100, french)
            tokens = target(rng, spoken, french)
            if rng.random() < 0.2 and spoken:
                tokens = [SPECIAL["<|startofprev|>"], *OWN.encode(WORDS[rng.integers(0, 8)]), *tokens]
            mels.append(mel)
            rows.append(tokens[:DIMS.n_text_ctx])
        width = max(map(len, rows))
        x = torch.full((len(rows), width), SPECIAL["<|endoftext|>"])
        mask = torch.zeros(len(rows), width - 1)
        for i, row in enumerate(rows):
            x[i, :len(row)] = torch.tensor(row)
            at = row.index(SPECIAL["<|startoftranscript|>"])
            mask[i, at:len(row) - 1] = 1
        logits = model(torch.tensor(np.array(mels), dtype=torch.float32), x[:, :-1])
        loss = torch.nn.functional.cross_entropy(logits.transpose(1, 2), x[:, 1:], reduction="none")
        loss = (loss * mask).sum() / mask.sum()
        opt.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        schedule.step()
        if step % 50 == 0 or step == steps - 1:
            print(step, loss.item(), flush=True)
    state = {k: v.half() for k, v in model.state_dict().items()}
    torch.save({"dims": DIMS.__dict__, "model_state_dict": state}, os.path.join(HERE, "tiny.pt"))


def load():
    checkpoint = torch.load(os.path.join(HERE, "tiny.pt"), weights_only=True)
    model = Whisper(ModelDimensions(**checkpoint["dims"]))
    model.load_state_dict({k: v.float() for k, v in checkpoint["model_state_dict"].items()})
    return model.eval()


def packed(mel):
    """int8 in units of 1/32, row-major, base64."""
    q = np.round(mel * 32)
    assert np.abs(q).max() < 128
    return {"frames": mel.shape[1], "data": base64.b64encode(q.astype(np.int8).tobytes()).decode()}


def number(x):
    return None if x != x else float(x)


DECODE = {
    "greedy": {},
    "detected language": {"language": None},
    "without timestamps": {"without_timestamps": True},
    "beam 5": {"beam_size": 5},
    "beam 5 without timestamps": {"beam_size": 5, "without_timestamps": True},
    "beam 3, patience 2": {"beam_size": 3, "patience": 2.0},
    "beam 4, patience 0.5": {"beam_size": 4, "patience": 0.5},
    "beam 4, length penalty 0.6": {"beam_size": 4, "length_penalty": 0.6},
    "beam 4, length penalty 0": {"beam_size": 4, "length_penalty": 0.0},
    "prompt": {"prompt": "the on"},
    "long prompt": {"prompt": "the on in at do we it zoé the on in at do"},
    "prompt of tokens": {"prompt": [258, 263, 310]},
    "prefix": {"prefix": "the", "without_timestamps": True},
    "prefix of a short sample": {"prefix": "the on in at do we", "without_timestamps": True, "sample_len": 17},
    "nothing suppressed": {"suppress_tokens": None, "suppress_blank": False},
    "suppressed tokens": {"suppress_tokens": [258, 311, 340], "suppress_blank": False},
    "any first timestamp": {"max_initial_timestamp": None},
    "first timestamp at once": {"max_initial_timestamp": 0.05},
    "short sample": {"sample_len": 4},
    "French": {"language": "fr"},
    "translate": {"task": "translate"},
}

TRANSCRIBE = {
    "plain": {},
    "beam 5": {"beam_size": 5},
    "without timestamps": {"without_timestamps": True},
    "given language": {"language": "fr"},
    "word timestamps": {"word_timestamps": True},
    "word timestamps, beam 5": {"word_timestamps": True, "beam_size": 5},
    "word timestamps without timestamps": {"word_timestamps": True, "without_timestamps": True},
    "other punctuations": {"word_timestamps": True, "prepend_punctuations": "", "append_punctuations": "?"},
    "no conditioning": {"condition_on_previous_text": False},
    "initial prompt": {"initial_prompt": "the on"},
    "carried initial prompt": {"initial_prompt": "the on", "carry_initial_prompt": True},
    "clips": {"clip_timestamps": [0.5, 2.25, 3.0]},
    "clip with words": {"clip_timestamps": [1.21, 3.3], "word_timestamps": True},
    "silence skipped": {"word_timestamps": True, "hallucination_silence_threshold": 0.2},
    "more silence skipped": {"word_timestamps": True, "hallucination_silence_threshold": 0.6},
    "no thresholds": {"no_speech_threshold": None, "logprob_threshold": None, "compression_ratio_threshold": None},
    "low no-speech threshold": {"no_speech_threshold": 0.01, "logprob_threshold": None},
}


def rounded(value):
    """Floats to six decimals: the tests ask for less."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return round(value, 6) if isinstance(value, float) else value


def decoded(model, mel, options):
    result = model.decode(torch.tensor(mel, dtype=torch.float32), DecodingOptions(fp16=False, **{"language": "en", **options}))
    return {
        "language": result.language, "tokens": result.tokens, "text": result.text,
        "avgLogprob": result.avg_logprob, "noSpeechProb": number(result.no_speech_prob),
        "compressionRatio": result.compression_ratio,
    }


def transcribed(model, options):
    result = model.transcribe(np.zeros(16000, dtype=np.float32), temperature=0.0, fp16=False, **options)
    segments = [
        {
            **{key: s[key] for key in ("id", "seek", "start", "end", "text", "tokens", "temperature")},
            "avg_logprob": s["avg_logprob"], "compression_ratio": s["compression_ratio"],
            "no_speech_prob": s["no_speech_prob"],
            **({"words": [{**w, "start": float(w["start"]), "end": float(w["end"])} for w in s["words"]]}
               if options.get("word_timestamps") else {}),
        }
        for s in result["segments"]
    ]
    for s in segments:
        s["start"], s["end"] = float(s["start"]), float(s["end"])
    return {"text": result["text"], "language": result["language"], "segments": segments}


def recording(rng, seconds, noise):
    """Words, pauses, stretches of nothing and, with `noise`, of sounds that are no words."""
    parts = []
    french = rng.random() < 0.5
    while sum(p.shape[1] for p in parts) < seconds * 100:
        part, _ = sound(rng, int(rng.integers(80, 260)), french, wordless=0.15, words=12)
        if rng.random() < noise:
            part = quantised(part + rng.normal(0, 0.5, part.shape))
        parts.append(part)
    return np.concatenate(parts, axis=1)[:, :int(seconds * 100)]


def main():
    if "--train" in sys.argv:
        train()
    torch.set_num_threads(1)
    model = load()
    rng = np.random.default_rng(5)
    silence = float(np.round(-1.5 * 32) / 32)
    cases = {"nVocab": DIMS.n_vocab, "specialTokens": SPECIAL, "decode": [], "transcribe": [], "languages": []}
    with open(os.path.join(HERE, "tiny.tiktoken"), "w") as f:
        for token, rank in sorted(RANKS.items(), key=lambda item: item[1]):
            f.write(f"{base64.b64encode(token).decode()} {rank}\n")
    with open(os.path.join(HERE, "special_tokens.json"), "w") as f:
        json.dump({"special_tokens": SPECIAL}, f, indent=0)
    with taught(model, RANKS, SPECIAL):
        for clip in range(6):
            mel, _ = sound(rng, 100, clip % 2 == 1, wordless=0)
            if clip == 4:
                mel = quantised(rng.normal(-1, 0.08, (8, 100)))
            if clip == 5:
                mel = quantised(mel + rng.normal(0, 0.6, mel.shape))
            _, probabilities = model.detect_language(torch.tensor(mel, dtype=torch.float32))
            cases["languages"].append({"mel": packed(mel), "probabilities": probabilities})
            for name, options in DECODE.items():
                cases["decode"].append(
                    {"name": name, "clip": clip, "options": options, "result": decoded(model, mel, options)})
    recordings = [recording(rng, 6.37, 0.0), recording(rng, 5.01, 0.5), recording(rng, 0.73, 0.0)]
    cases["recordings"] = [packed(mel) for mel in recordings]
    for index, mel in enumerate(recordings):
        whole = np.concatenate([mel, np.full((8, 100), silence)], axis=1)
        with taught(model, RANKS, SPECIAL, torch.tensor(whole, dtype=torch.float32)):
            for name, options in TRANSCRIBE.items():
                # openai-whisper never ends where a clip does so after the recording.
                if max(options.get("clip_timestamps", [0])) * 100 >= mel.shape[1]:
                    continue
                if index > 0 and name in ("other punctuations", "given language"):
                    continue
                print(f"recording {index}: {name}", flush=True)
                cases["transcribe"].append({
                    "name": name, "recording": index, "options": options, "result": transcribed(model, options)})
    with open(os.path.join(HERE, "cases.json"), "w") as f:
        json.dump(rounded(cases), f, ensure_ascii=True, separators=(",", ":"))
    if "--show" in sys.argv:
        for case in cases["decode"]:
            print(case["clip"], case["name"], "|", case["result"]["text"], "|", round(case["result"]["avgLogprob"], 3))
        for case in cases["transcribe"]:
            print(case["recording"], case["name"], "|", case["result"]["text"], len(case["result"]["segments"]))
    print({name: os.path.getsize(os.path.join(HERE, name)) for name in os.listdir(HERE)})


if __name__ == "__main__":
    main()
