"""What is inside the trained model:  python -m recipe.phenomena --data FOLDER --checkpoint model.pt --model FOLDER

The experiments of "Interpreting OpenAI's Whisper" in PyTorch, as a check that the default model shows what the tool is
for, and as the source of the model card's figures. One rule holds for all: padding is not data, so that every statistic
over frames is over the frames that carry the clip.
"""

import argparse
import contextlib
import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
import whisper.model
from whisper.model import disable_sdpa
from whisper.timing import find_alignment

from . import noise, openai
from .decode import HeldOut, greedy, transcribe, word_error_rate
from .features import model_input
from .phonemes import PHONEMES
from .tokenizer import Tokenizer

WINDOWS = (500, 100, 50, 25, 10, 5)  # frames of 20 ms on either side
BIGRAM_PROMPTS = [(" traffic", "en"), (" thank", "en"), (" peanut", "en"), (" very", "en"), (" hot", "en"),
                  (" thank you very", "en"), (" once upon a", "en"), (" ice", "en"), (" bus", "en"), (" good", "en"),
                  (" au", "fr"), (" je ne sais", "fr"), (" merci", "fr")]
NEIGHBOUR_WORDS = " rug, cat, red, seven, monday, bread, walked, mother, rouge, chat, london, see".split(",")
RARE = 60  # a phoneme with fewer frames than this is not judged


class Subject:
    """The model under examination, and cached encoder activations of a held-out set."""

    def __init__(self, checkpoint: Path, tokenizer_folder: Path):
        self.model, self.tokenizer = openai.load(checkpoint), Tokenizer(tokenizer_folder)
        self.context = self.model.dims.n_audio_ctx

    @torch.no_grad()
    def activations(self, inputs, lengths, modules) -> dict[str, list[torch.Tensor]]:
        """{module path: [valid frames, width] per clip} for inputs [clips, 80, frames]."""
        found = {path: [] for path in modules}
        output = {}
        handles = [self.model.get_submodule(path).register_forward_hook(
            lambda module, arguments, result, path=path: output.__setitem__(path, result)) for path in modules]
        for start in range(0, len(inputs), 25):
            self.model.encoder(inputs[start:start + 25])
            for path in modules:
                found[path] += [clip[:length].clone() for clip, length in
                                zip(output[path], lengths[start:start + 25])]
        for handle in handles:
            handle.remove()
        return found

    def noise_inputs(self, count, seed=99):
        """Non-speech the training did not hear (another seed), 4 s each."""
        return torch.stack([model_input(clip, self.context) for clip in noise.bank(seed, count, 4.0).numpy()])


@contextlib.contextmanager
def attention_window(context: int, frames: int):
    """Encoder self-attention sees only |query - key| <= frames; the rest is untouched."""
    original = whisper.model.scaled_dot_product_attention
    index = torch.arange(context)
    mask = (index[:, None] - index[None]).abs() <= frames

    def windowed(query, key, value, is_causal=False):
        encoder = query.shape[2] == context and key.shape[2] == context
        return original(query, key, value, attn_mask=mask) if encoder else original(
            query, key, value, is_causal=is_causal)

    whisper.model.scaled_dot_product_attention = windowed
    try:
        yield
    finally:
        whisper.model.scaled_dot_product_attention = original


def local_attention(subject, sentences, count=100):
    references = [record["text"] for record in sentences.records[:count]]
    rates = {}
    for frames in WINDOWS:
        with attention_window(subject.context, frames):
            hypotheses = transcribe(subject.model, subject.tokenizer, sentences, range(len(references)))
        rates[f"±{frames * 0.02:g} s"] = round(word_error_rate(zip(hypotheses, references)), 4)
    return rates


@torch.no_grad()
def first_token(subject, sentences):
    """Language and no-speech, from the distribution after <|startoftranscript|>."""
    model, tokenizer = subject.model, subject.tokenizer

    def distribution(inputs):
        start = torch.tensor([[tokenizer.start]])
        parts = [model.decoder(start.expand(len(part), 1), model.encoder(part))[:, 0].softmax(-1)
                 for part in inputs.split(25)]
        return torch.cat(parts)

    speech = distribution(sentences.inputs(range(len(sentences.records)), subject.context))
    non_speech_inputs = subject.noise_inputs(64)
    non_speech = distribution(non_speech_inputs)
    french = speech[:, tokenizer.language("fr")] > speech[:, tokenizer.language("en")]
    right = [bool(guess) == (record["language"] == "fr") for guess, record in zip(french, sentences.records)]
    invented = [tokenizer.decode(row) for row in greedy(model, tokenizer, non_speech_inputs, tokenizer.prompt("en"))]
    return {
        "language_accuracy": round(float(np.mean(right)), 4),
        "no_speech_on_speech": round(speech[:, tokenizer.no_speech].mean().item(), 4),
        "no_speech_on_non_speech": round(non_speech[:, tokenizer.no_speech].mean().item(), 4),
        "words_per_non_speech_clip": sum(len(text.split()) for text in invented) / len(invented),
    }


@torch.no_grad()
def bigrams(subject):
    """The decoder as a language model, on nothing but padding."""
    model, tokenizer = subject.model, subject.tokenizer
    padding = model.encoder(model_input(np.zeros(0, np.float32), subject.context)[None])
    found = {}
    for text, language in BIGRAM_PROMPTS:
        for mode, prompt in (("", tokenizer.prompt(language)[:3]), (" with <|notimestamps|>", tokenizer.prompt(language))):
            tokens = torch.tensor([prompt + tokenizer.encode(text)])
            top = model.decoder(tokens, padding)[0, -1].softmax(-1).topk(4)
            found[text.strip() + mode] = [(tokenizer.encoding.decode([index]), round(value, 3))
                                          for value, index in zip(top.values.tolist(), top.indices.tolist())]
    return found


def _area_under_curve(values, positive):
    ranks = values.argsort().argsort().float()
    hits = positive.sum()
    return ((ranks[positive].sum() - hits * (hits - 1) / 2) / (hits * (len(values) - hits))).item()


def selective_neurons(subject, acts, labels):
    """Neurons of mlp.1 whose strongest frames are one phoneme: named on even clips, judged on odd ones.

    A neuron is judged on its n strongest frames, where n is how often its phoneme occurs.
    """
    truth = {half: torch.from_numpy(np.concatenate(labels[half::2])).long() for half in (0, 1)}
    report = {}
    for path, clips in acts.items():
        name, judge = torch.cat(clips[0::2]), torch.cat(clips[1::2])
        standard = (name - name.mean(0)) / (name.std(0) + 1e-6)
        one_hot = F.one_hot(truth[0], len(PHONEMES)).float()
        counts = torch.stack([one_hot.sum(0), F.one_hot(truth[1], len(PHONEMES)).float().sum(0)]).amin(0)
        means = (one_hot.T @ standard) / one_hot.sum(0).clamp(min=1)[:, None]
        means[counts < RARE] = -10
        means[0] = -10  # silence
        scores = []
        for neuron, phoneme in enumerate(means.argmax(0).tolist()):
            positive = truth[1] == phoneme
            strongest = judge[:, neuron].topk(int(positive.sum())).indices
            scores.append((positive[strongest].float().mean().item(), neuron, phoneme))
        scores.sort(reverse=True)
        report[path] = {
            "selective": sum(precision > 0.5 for precision, _, _ in scores), "neurons": len(scores),
            "best": [{"neuron": neuron, "phoneme": PHONEMES[phoneme], "precision": round(precision, 3),
                      "auc": round(_area_under_curve(judge[:, neuron], truth[1] == phoneme), 3)}
                     for precision, neuron, phoneme in scores[:6]],
        }
    return report


def probe(train_x, train_y, test_x, test_y, steps=300):
    """Accuracy of a logistic regression on standardised inputs."""
    mean, scale = train_x.mean(0), train_x.std(0) + 1e-5
    train_x, test_x = (train_x - mean) / scale, (test_x - mean) / scale
    layer = torch.nn.Linear(train_x.shape[1], int(max(train_y.max(), test_y.max())) + 1)
    optimiser = torch.optim.AdamW(layer.parameters(), 1e-2, weight_decay=1e-2)
    for _ in range(steps):
        optimiser.zero_grad()
        F.cross_entropy(layer(train_x), train_y).backward()
        optimiser.step()
    return round((layer(test_x).argmax(-1) == test_y).float().mean().item(), 4)


def probes(subject, sentences_acts, sentences, labels, voices):
    """is_french (other voices), is_speech (other noises), phoneme (other clips), after each encoder block."""
    paths = list(sentences_acts)
    lengths = [min(record["labels"][1], subject.context) for record in voices.records]
    voices_acts = subject.activations(voices.inputs(range(len(lengths)), subject.context), lengths, paths)
    noise_acts = subject.activations(subject.noise_inputs(64), [200] * 64, paths)
    french = [torch.tensor([int(record["language"] == "fr") for record in held_out.records])
              for held_out in (sentences, voices)]
    half = len(labels) * 7 // 10
    phonemes = [torch.from_numpy(np.concatenate(part)).long() for part in (labels[:half], labels[half:])]
    report = {"majority": {"is_french": round(1 - french[1].float().mean().item(), 4),
                           "phoneme": round((phonemes[1] == phonemes[1].mode().values).float().mean().item(), 4)}}
    for path in paths:
        mean = lambda clips: torch.stack([clip.mean(0) for clip in clips])  # noqa: E731
        here, there, not_speech = mean(sentences_acts[path]), mean(voices_acts[path]), mean(noise_acts[path])
        count = 32
        speech_y = torch.tensor([1] * count + [0] * count)
        report[path] = {
            "is_french": probe(here, french[0], there, french[1]),
            "is_speech": probe(torch.cat([here[:count], not_speech[:count]]), speech_y,
                               torch.cat([there[:count], not_speech[count:]]), speech_y),
            "phoneme": probe(torch.cat(sentences_acts[path][:half]), phonemes[0],
                             torch.cat(sentences_acts[path][half:]), phonemes[1]),
        }
    report["majority"]["is_speech"] = 0.5
    return report


def neighbours(subject, count=6):
    """Nearest tokens by cosine in the token embedding, after removing what all tokens share."""
    tokenizer = subject.tokenizer
    embedding = subject.model.decoder.token_embedding.weight.detach()[:tokenizer.end]
    embedding = F.normalize(embedding - embedding.mean(0), dim=-1)
    found = {}
    for word in NEIGHBOUR_WORDS:
        tokens = tokenizer.encode(word)
        if len(tokens) == 1:
            nearest = (embedding @ embedding[tokens[0]]).topk(count + 1).indices.tolist()[1:]
            found[word.strip()] = [tokenizer.encoding.decode([index]).strip() for index in nearest]
    return found


@torch.no_grad()
def timestamps(subject, sentences, count=80):
    """Timestamp mode: the error of the last timestamp against the end of the last sound."""
    tokenizer = subject.tokenizer
    chosen = [i for i, record in enumerate(sentences.records) if record["language"] == "en"][:count]
    prompt = [*tokenizer.prompt("en")[:3], tokenizer.first_timestamp]
    rows = greedy(subject.model, tokenizer, sentences.inputs(chosen, subject.context), prompt)
    errors = []
    for index, row in zip(chosen, rows):
        stamps = [(token - tokenizer.first_timestamp) * 0.02 for token in row if token >= tokenizer.first_timestamp]
        if stamps:
            errors.append(abs(stamps[-1] - sentences.sound_end(index)))
    return {"median_end_error_s": round(float(np.median(errors)), 3), "missing": len(chosen) - len(errors)}


@torch.no_grad()
def alignment(subject, sentences, count=120):
    """Per cross-attention head, the share of words whose strongest frame lies in the word (0.1 s of grace)."""
    model, tokenizer = subject.model, subject.tokenizer
    hits, patterns = {}, {}
    handles = [block.cross_attn.register_forward_hook(
        lambda module, arguments, output, layer=layer: patterns.__setitem__(layer, output[1]))
        for layer, block in enumerate(model.decoder.blocks)]
    with disable_sdpa():
        for index, record in enumerate(sentences.records[:count]):
            position, cursor, spans = [], 3, {first: (start, end) for start, end, first, last in record["words"]
                                              if first == last}
            tokens = []
            for number, word in enumerate(record["text"].split()):
                if number in spans:
                    position.append((cursor, *spans[number]))
                pieces = tokenizer.encode(" " + word)
                tokens, cursor = tokens + pieces, cursor + len(pieces)
            model.decoder(torch.tensor([tokenizer.prompt(record["language"]) + tokens]),
                          model.encoder(sentences.inputs([index], subject.context)))
            for layer, scores in patterns.items():
                peaks = scores[0].argmax(-1) * 0.02
                for head in range(len(peaks)):
                    hits.setdefault((layer, head), []).extend(
                        start - 0.1 <= peaks[head, at].item() <= end + 0.1 for at, start, end in position)
    for handle in handles:
        handle.remove()
    shares = sorted(((float(np.mean(values)), head) for head, values in hits.items()), reverse=True)
    return [{"head": list(head), "in_word": round(share, 4)} for share, head in shares]


def word_times(subject, sentences, heads, count=80):
    """Error of word starts and ends by openai's own alignment (attention of the given heads, median filter, DTW)."""
    mask = torch.zeros(subject.model.dims.n_text_layer, subject.model.dims.n_text_head, dtype=torch.bool)
    for layer, head in heads:
        mask[layer, head] = True
    subject.model.register_buffer("alignment_heads", mask.to_sparse(), persistent=False)
    errors = {"start": [], "end": []}
    for index, record in enumerate(sentences.records[:count]):
        spans = record["words"]
        if record["language"] != "en" or len(spans) != len(record["text"].split()):
            continue
        tokenizer = openai.whisper_tokenizer(subject.tokenizer, record["language"])
        tokens = subject.tokenizer.encode(" " + record["text"])
        found = find_alignment(subject.model, tokenizer, tokens, sentences.inputs([index], subject.context)[0],
                               int(sentences.seconds(index) * 100))
        found = [word for word in found if word.word.strip()]
        if len(found) == len(spans):
            for word, (start, end, _, _) in zip(found, spans):
                errors["start"].append(abs(word.start - start))
                errors["end"].append(abs(word.end - end))
    return {f"median_{edge}_error_s": round(float(np.median(values)), 3) for edge, values in errors.items()} | {
        "words": len(errors["start"])}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--checkpoint", type=Path, required=True, help="openai-whisper's format")
    parser.add_argument("--model", type=Path, required=True, help="folder of the tokenizer")
    parser.add_argument("--count", type=int, default=200, help="held-out clips to look at")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(0)
    subject = Subject(arguments.checkpoint, arguments.model)
    sentences, voices = (HeldOut(arguments.data, name, arguments.count) for name in ("sentences", "voices"))
    show = lambda name, result: print(json.dumps({name: result}, ensure_ascii=False), flush=True)  # noqa: E731
    show("local_attention_wer", local_attention(subject, sentences))
    show("first_token", first_token(subject, sentences))
    show("bigrams_on_padding", bigrams(subject))
    layers = range(subject.model.dims.n_audio_layer)
    labels = [sentences.labels(index)[:subject.context] for index in range(len(sentences.records))]
    inputs = sentences.inputs(range(len(labels)), subject.context)
    neurons = subject.activations(inputs, list(map(len, labels)), [f"encoder.blocks.{i}.mlp.1" for i in layers])
    show("selective_neurons", selective_neurons(subject, neurons, labels))
    residual = subject.activations(inputs, list(map(len, labels)), [f"encoder.blocks.{i}" for i in layers])
    show("probes", probes(subject, residual, sentences, labels, voices))
    show("embedding_neighbours", neighbours(subject))
    show("timestamps", timestamps(subject, sentences))
    heads = alignment(subject, sentences)
    show("alignment_heads", heads)
    show("word_times", word_times(subject, sentences, [head["head"] for head in heads[:2]]))


if __name__ == "__main__":
    main()
