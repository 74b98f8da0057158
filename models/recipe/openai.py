"""openai-whisper's own objects for a model that is not one of openai's sizes.

openai-whisper derives `is_multilingual` and the number of languages from the size of the vocabulary, so that its
`decode()` would pick a tokenizer of its own. `decoding_task` gives it ours instead.
"""

import dataclasses
from pathlib import Path

import torch
from whisper.decoding import DecodingOptions, DecodingTask
from whisper.model import ModelDimensions, Whisper
from whisper.tokenizer import Tokenizer as OpenAITokenizer

from .tokenizer import LANGUAGES, Tokenizer


@dataclasses.dataclass
class WhisperTokenizer(OpenAITokenizer):
    """openai's tokenizer over our ranks: only the places that count openai's hundred languages are replaced."""

    def __post_init__(self):
        self.special_tokens = {token: self.encoding.encode_single_token(token)
                               for token in self.encoding.special_tokens_set}
        sequence = [self.sot]
        if self.language is not None:
            sequence.append(self.special_tokens[f"<|{self.language}|>"])
        if self.task is not None:
            sequence.append(self.transcribe if self.task == "transcribe" else self.translate)
        self.sot_sequence = tuple(sequence)


def whisper_tokenizer(tokenizer: Tokenizer, language: str = "en", task: str = "transcribe") -> WhisperTokenizer:
    return WhisperTokenizer(tokenizer.encoding, num_languages=len(LANGUAGES), language=language, task=task)


def suppressed_tokens(tokenizer: Tokenizer) -> list[int]:
    """What openai's decoding never samples with `suppress_tokens="-1"`: their rule, over our vocabulary."""
    theirs = whisper_tokenizer(tokenizer)
    special = (theirs.transcribe, theirs.translate, theirs.sot, theirs.sot_prev, theirs.sot_lm, theirs.no_speech)
    return sorted({*theirs.non_speech_tokens, *special})


def begin_suppressed_tokens(tokenizer: Tokenizer) -> list[int]:
    """What may not come first: a blank, and the end."""
    return [*whisper_tokenizer(tokenizer).encode(" "), tokenizer.end]


def decoding_task(model: Whisper, tokenizer: Tokenizer, options: DecodingOptions) -> DecodingTask:
    """openai's DecodingTask with every part that holds a tokenizer rebuilt on ours."""
    import whisper.decoding as decoding

    original = decoding.get_tokenizer
    decoding.get_tokenizer = lambda *args, language=None, task=None, **rest: whisper_tokenizer(
        tokenizer, language or "en", task or "transcribe")
    try:
        return DecodingTask(model, options)
    finally:
        decoding.get_tokenizer = original


def load(path: Path) -> Whisper:
    """A model saved as openai-whisper saves them."""
    saved = torch.load(path, weights_only=True, map_location="cpu")
    model = Whisper(ModelDimensions(**saved["dims"]))
    model.load_state_dict({name: tensor.float() for name, tensor in saved["model_state_dict"].items()})
    return model.eval()


def load_average(paths: list[Path]) -> Whisper:
    """The mean of several checkpoints of one run: late in training it stands in for more annealing than there was time for."""
    models = [load(path) for path in paths]
    states = [model.state_dict() for model in models]
    mean = {name: sum(state[name].double() for state in states).div(len(states)).float() for name in states[0]}
    models[0].load_state_dict(mean)
    return models[0]
