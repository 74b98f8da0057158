"""What a released Whisper writes of people's recordings, token for token beside openai-whisper.

Where two texts part, one of the two best tokens was chosen by rounding, or one side is wrong. So a difference is explained: both
continuations are read by openai-whisper in double precision, which says how far the two tokens are apart. Less than the logits'
own error in single precision (rounding.py prints it) is a tie.

What was compared is kept in the work folder, and asked for no more: a call that was interrupted, or had no more time, goes on. The
recordings come in an order that mixes them, so that those of an unfinished call are a sample of all.
"""

import hashlib
import json
import math
import time
from dataclasses import dataclass

import numpy as np
import torch
import whisper

import precise
import recordings
from decoding import first_difference, stitched, within
from kept import Store

#: Of logits in double precision, between the tokens at which two texts part: nearer ones are a tie.
TIE = 2e-3
#: Recordings that auscult is asked for at once.
BATCH = 8

PROMPT = "Glossary: Margaret Hale, Mr. Thornton, lobster salad. And then she said"


@dataclass(frozen=True)
class Variant:
    """Something that is asked of both sides."""
    name: str
    #: auscult's; None is the fallback through temperatures.
    flags: list
    #: openai-whisper's keyword arguments.
    options: dict
    #: Every how manieth recording is asked.
    each: int = 1


FALLBACK = Variant("fallback, to the first draw", None, {"temperature": (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)})
SHORT = [
    Variant("greedy, timestamps, words", ["--word-timestamps"], {"word_timestamps": True}),
    Variant("greedy, no timestamps", ["--no-timestamps"], {"without_timestamps": True}, 4),
    Variant("beam 5, timestamps", ["--beam-size", "5"], {"beam_size": 5}, 4),
    Variant("greedy, after a prompt", ["--initial-prompt", PROMPT], {"initial_prompt": PROMPT}, 5),
]
LONG = [
    Variant("long: greedy, words, previous text", ["--word-timestamps"], {"word_timestamps": True}),
    Variant("long: beam 5, no previous text", ["--beam-size", "5", "--no-condition-on-previous-text"],
            {"beam_size": 5, "condition_on_previous_text": False}),
]

#: What can be asked for by itself.
KINDS = ("short", "long", "fallback")


def check(auscult, work, model, speech, kinds=KINDS, seconds=math.inf):
    """`speech`: name -> (samples, language). -> whether all that differs is a tie, of what there was time for."""
    memo, store = Memo(model.network), Store(auscult, work / f"tokens-{model.name}.jsonl", model)
    people = [samples for samples, language in speech.values() if language == "en" and len(samples) > 3 * recordings.RATE]
    long = {"10 minutes": stitched(people, 600, np.random.default_rng(5))}
    # An English-only model is not asked what it cannot know.
    short = {name: samples for name, (samples, language) in mixed(speech)
             if model.is_multilingual or language != "fr"}
    sounds = {name: samples for name, samples in short.items() if not speech[name][1]} | long
    print(f"\n{model.name}: {len(short)} recordings, {sum(map(len, short.values())) / 960_000:.1f} minutes, "
          f"{sum(speech[name][1] == 'fr' for name in short)} of them French")
    asked = [(one, dict(list(short.items())[::one.each])) for one in SHORT if "short" in kinds]
    asked += [(one, long) for one in LONG if "long" in kinds]
    asked += [(FALLBACK, sounds)] if "fallback" in kinds else []
    end = time.monotonic() + seconds
    for variant, samples_of in asked:
        compare(auscult, work, model, store, variant, samples_of, end)
    memo.forget()
    return all([report(store, variant, samples_of) for variant, samples_of in [(None, ()), *asked]])


def mixed(speech):
    """The recordings in an order that has nothing to do with theirs."""
    return sorted(speech.items(), key=lambda pair: hashlib.sha256(pair[0].encode()).digest())


class Memo:
    """Makes the encoder answer at once where it is asked for the same input again, as every variant asks it."""

    def __init__(self, network):
        self.known, self.encoder, forward = {}, network.encoder, network.encoder.forward

        def remembered(mel):
            key = hashlib.sha1(mel.numpy().tobytes()).digest()
            if key not in self.known:
                if len(self.known) > 400:  # 1 GB of base's
                    self.known.clear()
                self.known[key] = forward(mel)
            return self.known[key]

        self.encoder.forward = remembered

    def forget(self):
        """The encoder is what it was."""
        del self.encoder.forward
        self.known.clear()


def compare(auscult, work, model, store, variant, samples_of, end):
    """Compares what has not been compared yet, until `end`."""
    left = [pair for pair in samples_of.items() if store.get(variant, pair[1]) is None]
    for start in range(0, len(left), BATCH):
        if time.monotonic() > end:
            return
        batch = left[start:start + BATCH]
        for (name, samples), mine in zip(batch, written(auscult, work, model, variant, batch), strict=True):
            with torch.no_grad():
                theirs = within(model.network.transcribe(
                    samples, fp16=False, language=None if model.is_multilingual else "en",
                    **{"temperature": 0.0, **variant.options}), len(samples) / recordings.RATE)
            ours, others = (mine, theirs) if variant.flags is not None else undrawn(mine, theirs)
            difference = first_difference(ours, others)
            gap = difference and parting(model, samples, mine, theirs, variant.options)
            store.put(variant, samples, name=name, difference=difference, gap=gap)


def written(auscult, work, model, variant, batch):
    """auscult's transcripts."""
    paths = [recordings.write(samples, work / f"utterance-{index}.wav") for index, (_, samples) in enumerate(batch)]
    asked = ["--temperature", "0", *variant.flags] if variant.flags is not None else []
    # One language is told, or none is and both sides detect it.
    language = [] if model.is_multilingual else ["--language", "en"]
    try:
        return json.loads(auscult("transcribe", *paths, "--model", model.path, "--format", "json", *asked, *language))
    finally:
        for path in paths:
            path.unlink()


def report(store, variant, samples_of):
    """Prints a row, and every difference. -> whether all of them are ties."""
    if variant is None:
        print(f"{'tokens, and words with their times':44}{'equal':>8}{'of':>6}{'ties':>6}{'not yet':>9}")
        return True
    rows = [store.get(variant, samples) for samples in samples_of.values()]
    done = [row for row in rows if row]
    different = [row for row in done if row["difference"]]
    ties = [row for row in different if row["gap"] and row["gap"][0] <= TIE]
    print(f"{variant.name:44}{len(done) - len(different):8}{len(done):6}{len(ties):6}{len(rows) - len(done):9}", flush=True)
    for row in different:
        reason = "no token differs" if row["gap"] is None else (
            f"in double precision {row['gap'][0]:.1e} apart, {row['gap'][1]} ahead: {'a tie' if row in ties else 'DIFFERENT'}")
        print(f"    {row['name']}: {row['difference']}; {reason}")
    return len(ties) == len(different)


def undrawn(mine, theirs):
    """Both up to the first segment that either side has drawn; that one's temperature is compared, and no more of it."""
    def cut(transcript):
        segments = []
        for segment in transcript["segments"]:
            if segment["temperature"] > 0:
                # Which temperature is enough depends on what was drawn.
                segments.append({**segment, "text": "(drawn)", "tokens": [], "start": 0.0, "end": 0.0, "words": []})
                break
            segments.append(segment)
        return {**transcript, "segments": segments}

    return cut(mine), cut(theirs)


def parting(model, samples, mine, theirs, options):
    """Where the first different tokens are: how far apart double precision has them, and whose is ahead; None where no token
    differs."""
    equal = next((index for index, (a, b) in enumerate(zip(mine["segments"], theirs["segments"])) if a["tokens"] != b["tokens"]),
                 min(len(mine["segments"]), len(theirs["segments"])))
    if equal == len(mine["segments"]) == len(theirs["segments"]) or equal == len(theirs["segments"]):
        return None
    seek = theirs["segments"][equal]["seek"]
    # The window's first segment; all before it are equal on both sides, and are the previous text.
    first = next(index for index, segment in enumerate(theirs["segments"]) if segment["seek"] == seek)
    ours, others = ([token for segment in transcript["segments"][first:] for token in segment["tokens"]]
                    for transcript in (mine, theirs))
    at = next((index for index, (a, b) in enumerate(zip(ours, others)) if a != b), min(len(ours), len(others)))
    end = model.tokenizer.eot
    pair = [tokens[at] if at < len(tokens) else end for tokens in (ours, others)]
    before = [token for segment in theirs["segments"][:first] for token in segment["tokens"]]
    prompt = options.get("initial_prompt")
    text = model.tokenizer.encode(" " + prompt.strip()) if prompt else []
    text += before if options.get("condition_on_previous_text", True) else []
    start = list(model.tokenizer.sot_sequence) if not model.is_multilingual else [
        model.tokenizer.sot, model.tokenizer.to_language_token(theirs["language"]), model.tokenizer.transcribe]
    if options.get("without_timestamps"):
        start.append(model.tokenizer.no_timestamps)
    if text:
        start = [model.tokenizer.sot_prev, *text[-(model.network.dims.n_text_ctx // 2 - 1):], *start]
    logits = exact_logits(model, samples, seek, start + ours[:at])
    first, second = (float(logits[token]) for token in pair)
    return abs(first - second), "auscult's" if first > second else "openai-whisper's"


def exact_logits(model, samples, seek, tokens):
    """Of what follows `tokens` in the window that begins at the frame `seek`, in double precision."""
    exact = precise.model(model.network)
    with torch.no_grad(), precise.arithmetic():
        # As transcribe() has it: the log-mel of the recording with half a minute of silence, cut, and padded with zeros.
        frames = len(samples) // 160
        mel = precise.log_mel(samples, model.network.dims.n_mels, frames + 3000)[:, seek:frames]
        mel = whisper.pad_or_trim(mel, 3000)
        hidden = {}
        handle = exact.decoder.ln.register_forward_hook(lambda _, __, value: hidden.update(last=value[0, -1]))
        exact.decoder(torch.tensor([tokens]), exact.encoder(mel[None]))
        handle.remove()
        return exact.decoder.token_embedding.weight @ hidden["last"]
