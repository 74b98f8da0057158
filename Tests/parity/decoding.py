"""openai-whisper's `decode` and `transcribe` for a model with a window, a vocabulary and languages of its own,
and auscult's transcripts compared with them, token for token.

openai-whisper takes three things for granted, which are put right here while it runs: that a window is 30 s,
that the vocabulary is one of its two, and that languages can be counted from the vocabulary's size.
"""

import contextlib
import json
from pathlib import Path
from unittest import mock

import numpy as np
import tiktoken
import torch
import whisper
from whisper.tokenizer import Tokenizer

import checkpoints
import recordings
import reference

PATTERN = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


class OwnTokenizer(Tokenizer):
    """openai-whisper's tokenizer, which finds a language's token by its name and not by counting."""

    def __post_init__(self):
        language, self.language = self.language, None
        super().__post_init__()
        self.language = language
        if self.language is not None:
            start, *task = self.sot_sequence
            self.sot_sequence = (start, self.to_language_token(self.language), *task)


def encoding(ranks, special):
    return tiktoken.Encoding(name="own", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens=special)


@contextlib.contextmanager
def taught(network, ranks, special, mel=None):
    """openai-whisper with `network`'s window and this vocabulary; with `mel` that is the log-mel of any audio.

    `ranks`: token bytes -> id; `special`: text -> id.
    """
    own = encoding(ranks, special)
    codes = [name.strip("<|>") for name in special if name.strip("<|>") in whisper.tokenizer.LANGUAGES]

    def get_tokenizer(multilingual, *, num_languages=0, language=None, task=None):
        return OwnTokenizer(
            encoding=own, num_languages=len(codes), language=language or "en", task=task or "transcribe")

    frames = 2 * network.dims.n_audio_ctx
    patches = [
        mock.patch("whisper.decoding.get_tokenizer", get_tokenizer),
        mock.patch("whisper.transcribe.get_tokenizer", get_tokenizer),
        mock.patch("whisper.decoding.CHUNK_LENGTH", network.dims.n_audio_ctx * 0.02),
        mock.patch("whisper.transcribe.N_FRAMES", frames),
        mock.patch("whisper.transcribe.N_SAMPLES", frames * 160),
        mock.patch.object(whisper.model.Whisper, "is_multilingual", True),
        mock.patch.object(whisper.model.Whisper, "num_languages", len(codes)),
    ]
    if mel is not None:
        patches.append(mock.patch("whisper.transcribe.log_mel_spectrogram", lambda *_, **__: mel))
    with contextlib.ExitStack() as stack:
        for patch in patches:
            stack.enter_context(patch)
        yield own


# MARK: - The comparison

#: What is asked of both sides: auscult's flags, and openai-whisper's keyword arguments.
CLIPS = {
    "greedy": (["--no-timestamps"], {"without_timestamps": True}),
    "greedy, timestamps": ([], {}),
    "beam 5": (["--no-timestamps", "--beam-size", "5"], {"without_timestamps": True, "beam_size": 5}),
    "beam 5, timestamps": (["--beam-size", "5"], {"beam_size": 5}),
}
LONG = {
    "long": ([], {}),
    "long, words": (["--word-timestamps"], {"word_timestamps": True}),
    "long, beam 5, words": (["--beam-size", "5", "--word-timestamps"], {"beam_size": 5, "word_timestamps": True}),
}


def check(auscult, work, default):
    """Transcribes 50 clips and more, and three long recordings. -> whether all tokens and times are equal."""
    weights = checkpoints.default_model(default)
    network = reference.model(weights.dimensions, weights.state)
    set_alignment_heads(network, default)
    clips = short_recordings()
    generator = np.random.default_rng(3)
    long = {f"{language} long": stitched([s for n, s in clips.items() if n.startswith(language)], 125, generator)
            for language in ("en", "fr")}
    long["all long"] = stitched(list(clips.values()), 125, generator)
    print(f"\n{'transcripts, token for token':32}{'equal':>8}{'of':>6}")
    passed = True
    for recordings_, variants in ((clips, CLIPS), (long, LONG)):
        for name, (flags, options) in variants.items():
            passed &= compare(auscult, work, default, weights, network, recordings_, name, flags, options)
    return passed


def compare(auscult, work, default, weights, network, samples_of, variant, flags, options):
    paths = [recordings.write(samples, work / f"transcript-{index}.wav")
             for index, samples in enumerate(samples_of.values())]
    ours = json.loads(auscult(
        "transcribe", *paths, "--model", default, "--temperature", "0", "--format", "json", *flags))
    for path in paths:
        path.unlink()
    differences = []
    for (name, samples), transcript in zip(samples_of.items(), ours, strict=True):
        difference = first_difference(transcript, transcribed(weights, network, samples, options))
        if difference:
            differences.append(f"    {name}: {difference}")
    print("\n".join([f"{variant:32}{len(paths) - len(differences):8}{len(paths):6}", *differences]))
    return not differences


def transcribed(weights, network, samples, options):
    # `transcribe` takes as many frames at the end for silence as a window has, so it gets just as many.
    mel = whisper.log_mel_spectrogram(samples, weights.dimensions.n_mels, padding=whisper.audio.N_SAMPLES)
    mel = mel[:, :len(samples) // 160 + 2 * weights.dimensions.n_audio_ctx]
    with taught(network, weights.vocabulary.ranks, weights.vocabulary.special, mel), torch.no_grad():
        return within(network.transcribe(samples, temperature=0.0, fp16=False, **options), len(samples) / recordings.RATE)


def within(transcript, duration):
    """A model may put times into the silence behind the recording; auscult gives the recording's end in their place."""
    for segment in transcript["segments"]:
        for part in [segment, *segment.get("words", [])]:
            part["start"], part["end"] = min(part["start"], duration), min(part["end"], duration)
    return transcript


#: Word times, and with them the times of their segments, come from the cheapest path through a matrix of single-precision
#: sums. In 6 long transcripts one word ended a frame apart, presumably where two paths cost the same to within
#: rounding. Without words times are exact.
FRAME = 0.02


def first_difference(ours, theirs):
    """What differs first, in words; None where nothing does."""
    if ours["language"] != theirs["language"]:
        return f"language {ours['language']}, expected {theirs['language']}"
    for a, b in zip(ours["segments"], theirs["segments"]):
        if a["tokens"] != b["tokens"]:
            return f"at {b['start']:.2f} s \"{a['text']}\", expected \"{b['text']}\""
        words = [("segment", "segment", a, b)]
        words += [(x["word"], y["word"], x, y) for x, y in zip(a.get("words") or [], b.get("words") or [])]
        bound = (FRAME if len(words) > 1 else 0) + 1e-4
        for mine, expected, x, y in words:
            if mine != expected or max(abs(x["start"] - y["start"]), abs(x["end"] - y["end"])) > bound:
                return (f"{mine} at {x['start']:.2f}–{x['end']:.2f} s, "
                        f"expected {expected} at {y['start']:.2f}–{y['end']:.2f} s")
        if len(a.get("words") or []) != len(b.get("words") or []):
            return f"{len(a.get('words') or [])} words at {b['start']:.2f} s, expected {len(b.get('words') or [])}"
    if len(ours["segments"]) != len(theirs["segments"]):
        return f"{len(ours['segments'])} segments, expected {len(theirs['segments'])}"
    return None


def set_alignment_heads(network, folder):
    named = json.loads((Path(folder) / "generation_config.json").read_text()).get("alignment_heads")
    if named:
        heads = torch.zeros(network.dims.n_text_layer, network.dims.n_text_head, dtype=torch.bool)
        for layer, head in named:
            heads[layer, head] = True
        network.register_buffer("alignment_heads", heads.to_sparse(), persistent=False)


def short_recordings(least=56):
    """Name -> samples of the demonstration clips, real digits where they are there, and halves until there are enough."""
    paths = sorted((recordings.ROOT / "models" / "demo").glob("*.flac"))
    paths += sorted((recordings.SHARED / "digits").glob("*.wav"))[::200]
    clips = {path.stem: recordings.read(path) for path in paths}
    halves = {f"{name}, second half": samples[len(samples) // 2:] for name, samples in clips.items()}
    return {**clips, **dict(list(halves.items())[:max(0, least - len(clips))])}


def stitched(parts, seconds, generator):
    """At least `seconds` of clips in random order with pauses between them."""
    whole, length = [], 0
    while length < seconds * recordings.RATE:
        whole.append(parts[generator.integers(len(parts))])
        whole.append(np.zeros(int(generator.uniform(0.1, 1.5) * recordings.RATE), dtype=np.float32))
        length += len(whole[-1]) + len(whole[-2])
    return np.concatenate(whole)
