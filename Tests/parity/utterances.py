"""What a released Whisper writes of people's recordings, token for token beside openai-whisper.

Where two texts part, one of the two best tokens was chosen by rounding, or one side is wrong. So a difference is explained: both
continuations are read by openai-whisper in double precision, which says how far the two tokens are apart. Less than the logits'
own error in single precision (rounding.py prints it) is a tie.
"""

import hashlib
import json

import numpy as np
import torch
import whisper

import precise
import recordings
from decoding import first_difference, stitched

#: Of logits in double precision, between the tokens at which two texts part: nearer ones are a tie.
TIE = 2e-3

PROMPT = "Glossary: Margaret Hale, Mr. Thornton, lobster salad. And then she said"

#: auscult's flags and openai-whisper's keyword arguments; the last is every how manieth recording is asked.
SHORT = {
    "greedy, timestamps, words": (["--word-timestamps"], {"word_timestamps": True}, 1),
    "greedy, no timestamps": (["--no-timestamps"], {"without_timestamps": True}, 4),
    "beam 5, timestamps": (["--beam-size", "5"], {"beam_size": 5}, 4),
    "greedy, after a prompt": (["--initial-prompt", PROMPT], {"initial_prompt": PROMPT}, 5),
}
LONG = {
    "greedy, words, previous text": (["--word-timestamps"], {"word_timestamps": True}),
    "beam 5, no previous text": (["--beam-size", "5", "--no-condition-on-previous-text"],
                                 {"beam_size": 5, "condition_on_previous_text": False}),
}


#: What can be asked for by itself.
KINDS = ("short", "long", "fallback")


def check(auscult, work, model, speech, kinds=KINDS):
    """`speech`: name -> (samples, language). -> whether all that differs is a tie."""
    memo = Memo(model.network)
    generator = np.random.default_rng(5)
    people = [samples for samples, language in speech.values() if language == "en" and len(samples) > 3 * recordings.RATE]
    long = {"10 minutes": (stitched(people, 600, generator), "en")}
    # An English-only model is not asked what it cannot know.
    short = {name: (samples, language) for name, (samples, language) in speech.items()
             if model.is_multilingual or language != "fr"}
    sounds = {name: pair for name, pair in short.items() if not pair[1]} | long
    print(f"\n{model.name}: {len(short)} recordings, {sum(len(s) for s, _ in short.values()) / 960_000:.1f} minutes")
    print(f"{'tokens, and words with their times':44}{'equal':>8}{'of':>6}{'ties':>6}")
    passed = True
    for variant, (flags, options, each) in SHORT.items() if "short" in kinds else ():
        some = dict(list(short.items())[::each])
        passed &= compare(auscult, work, model, memo, some, variant, flags, {"temperature": 0.0, **options})
    for variant, (flags, options) in LONG.items() if "long" in kinds else ():
        passed &= compare(auscult, work, model, memo, long, f"long: {variant}", flags, {"temperature": 0.0, **options})
    every = {"temperature": (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)}
    if "fallback" in kinds:
        passed &= compare(auscult, work, model, memo, sounds, "fallback, to the first draw", None, every)
    return passed


class Memo:
    """Makes the encoder answer at once where it is asked for the same input again, as every variant asks it."""

    def __init__(self, network):
        self.known, forward = {}, network.encoder.forward

        def remembered(mel):
            key = hashlib.sha1(mel.numpy().tobytes()).digest()
            if key not in self.known:
                if len(self.known) > 400:  # 1 GB of base's
                    self.known.clear()
                self.known[key] = forward(mel)
            return self.known[key]

        network.encoder.forward = remembered


def compare(auscult, work, model, memo, recordings_, variant, flags, options):
    paths = [recordings.write(samples, work / f"utterance-{index}.wav")
             for index, (samples, _) in enumerate(recordings_.values())]
    asked = ["--temperature", "0", *flags] if flags is not None else []
    # One language is told, or none is and both sides detect it.
    language = [] if model.is_multilingual else ["--language", "en"]
    ours = json.loads(auscult("transcribe", *paths, "--model", model.path, "--format", "json", *asked, *language))
    for path in paths:
        path.unlink()
    equal, ties, lines = 0, 0, []
    for (name, (samples, _)), mine in zip(recordings_.items(), ours, strict=True):
        with torch.no_grad():
            theirs = model.network.transcribe(
                samples, fp16=False, language=None if model.is_multilingual else "en", **options)
        difference = first_difference(*undrawn(mine, theirs)) if flags is None else first_difference(mine, theirs)
        if difference is None:
            equal += 1
            continue
        gap = parting(model, samples, mine, theirs, options.get("initial_prompt", ""))
        is_tie = gap is not None and gap[0] <= TIE
        ties += is_tie
        reason = "not at a token" if gap is None else (
            f"in double precision {gap[0]:.1e} apart, {gap[1]} ahead: {'a tie' if is_tie else 'DIFFERENT'}")
        lines.append(f"    {name}: {difference}; {reason}")
    print("\n".join([f"{variant:44}{equal:8}{len(paths):6}{ties:6}", *lines]), flush=True)
    return equal + ties == len(paths)


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


def parting(model, samples, mine, theirs, prompt):
    """Where the first different tokens are: how far apart double precision has them, and whose is ahead; None where no token
    differs, or where it is behind the first window, whose prompt and place follow from what was written before."""
    ours, others = ([token for segment in transcript["segments"] for token in segment["tokens"]]
                    for transcript in (mine, theirs))
    at = next((index for index, (a, b) in enumerate(zip(ours, others)) if a != b), min(len(ours), len(others)))
    if at == len(ours) == len(others) or len(samples) > 30 * recordings.RATE:
        return None
    end = model.tokenizer.eot
    pair = [tokens[at] if at < len(tokens) else end for tokens in (ours, others)]
    start = list(model.tokenizer.sot_sequence)
    if not any(token >= model.tokenizer.timestamp_begin for token in ours + others):
        start.append(model.tokenizer.no_timestamps)
    if prompt:
        start = [model.tokenizer.sot_prev, *model.tokenizer.encode(" " + prompt.strip()), *start]
    exact = precise.model(model.network)
    with torch.no_grad(), precise.arithmetic():
        # As transcribe() has it: the log-mel of the recording with half a minute of silence, cut, and padded with zeros.
        frames = len(samples) // 160
        mel = precise.log_mel(samples, model.network.dims.n_mels, frames + 3000)[:, :frames]
        mel = whisper.pad_or_trim(mel, 3000)
        hidden = {}
        handle = exact.decoder.ln.register_forward_hook(lambda _, __, value: hidden.update(last=value[0, -1]))
        exact.decoder(torch.tensor([start + ours[:at]]), exact.encoder(mel[None]))
        handle.remove()
        logits = exact.decoder.token_embedding.weight @ hidden["last"]
    first, second = (float(logits[token]) for token in pair)
    return abs(first - second), "auscult's" if first > second else "openai-whisper's"
