"""Recordings longer than a window:  python -m recipe.longform --data FOLDER --checkpoint FILE --model default

openai-whisper's `transcribe` at temperature 0, with windows as long as this model's context: a window begins where the last complete
sentence of the one before ended. Auscult's does the same; this one is for checkpoints, and its windows can be looked at. Printed are
the word errors of the set `long`, with previous text and without, and with --windows what every window wrote and left to the next.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from whisper.audio import log_mel_spectrogram, pad_or_trim
from whisper.decoding import DecodingOptions

from . import openai
from .evaluate import Score, recordings
from .features import HOP, SAMPLE_RATE
from .tokenizer import Tokenizer

NO_SPEECH, LEAST_LOGPROB = 0.6, -1.0  # openai's thresholds


@dataclass
class Heard:
    """A window: where it began, in log-mel frames, what was written, how much of that stands, and where the next one begins."""

    seek: int
    prompt: list[int]
    written: list[int]
    taken: int
    next: int


def cut(tokens: list[int], begin: int, seek: int, frames: int) -> tuple[int, int]:
    """How many of a window's tokens stand, and where the next window begins, as openai-whisper has it."""
    stamps = [token >= begin for token in tokens]
    ends_with_one = stamps[-2:] == [False, True]
    pairs = [index for index in range(1, len(tokens)) if stamps[index - 1] and stamps[index]]
    if not pairs or ends_with_one:
        return len(tokens), seek + frames
    return pairs[-1], seek + 2 * (tokens[pairs[-1] - 1] - begin)


def standing(tokenizer, tokens: list[int]) -> list[int]:
    """Without segments of no text or no length, which openai-whisper neither writes nor hands on."""
    begin, segments = tokenizer.first_timestamp, [[]]
    for index, token in enumerate(tokens):
        if index and token >= begin and tokens[index - 1] >= begin:
            segments.append([])
        segments[-1].append(token)
    kept = (part for part in segments if tokenizer.decode(part).strip() and (len(segments) == 1 or part[0] != part[-1]))
    return [token for part in kept for token in part]


def transcribe(model, tokenizer: Tokenizer, samples: np.ndarray, language="en", previous=True) -> list[Heard]:
    """samples: float32 at 16 kHz"""
    length = 2 * model.dims.n_audio_ctx
    mel = log_mel_spectrogram(samples, padding=length * HOP)
    content = mel.shape[-1] - length
    seek, said, windows = 0, [], []
    while seek < content:
        frames = min(length, content - seek)
        prompt = list(said) if previous else []
        options = DecodingOptions(language=language, temperature=0.0, fp16=False, prompt=prompt)
        segment = pad_or_trim(mel[:, seek:seek + frames], length)
        result = openai.decoding_task(model, tokenizer, options).run(segment[None])[0]
        if result.no_speech_prob > NO_SPEECH and result.avg_logprob <= LEAST_LOGPROB:
            windows.append(Heard(seek, prompt, [], 0, seek + frames))
        else:
            taken, following = cut(result.tokens, tokenizer.first_timestamp, seek, frames)
            windows.append(Heard(seek, prompt, result.tokens, taken, following if following > seek else seek + frames))
            said += standing(tokenizer, result.tokens[:taken])
        seek = windows[-1].next
    return windows


def text(tokenizer, windows: list[Heard]) -> str:
    return "".join(tokenizer.decode(standing(tokenizer, window.written[:window.taken])) for window in windows)


def readable(tokenizer, tokens) -> str:
    return "".join(f"<{(t - tokenizer.first_timestamp) / 50:.2f}>" if t >= tokenizer.first_timestamp else tokenizer.decode([t])
                   for t in tokens)


def show(tokenizer, recording, windows: list[Heard]):
    for words_, start, end in recording.spoken:
        print(f"  {start / SAMPLE_RATE:6.2f} {end / SAMPLE_RATE:6.2f} {words_}")
    for window in windows:
        left = readable(tokenizer, window.written[window.taken:])
        print(f"  [{window.seek / 100:.2f} to {window.next / 100:.2f}] {readable(tokenizer, window.written[:window.taken])}{left and ' | ' + left}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the held-out sets")
    parser.add_argument("--checkpoint", type=Path, required=True, help="a model in openai-whisper's format")
    parser.add_argument("--model", type=Path, required=True, help="the exported folder, for its tokenizer")
    parser.add_argument("--set", default="sentences", dest="which", help="the held-out set that recordings are made of")
    parser.add_argument("--count", type=int, help="recordings; all by default")
    parser.add_argument("--windows", action="store_true", help="print every window")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)
    model, tokenizer = openai.load(arguments.checkpoint), Tokenizer(arguments.model)
    for previous in (True, False):
        score = Score()
        for recording in recordings(arguments.data, arguments.which)[:arguments.count]:
            windows = transcribe(model, tokenizer, recording.samples.astype(np.float32) / 32768, previous=previous)
            score.add(text(tokenizer, windows), recording.text)
            if arguments.windows:
                show(tokenizer, recording, windows)
        print(json.dumps({"previous text": previous} | score.summary()), flush=True)


if __name__ == "__main__":
    main()
