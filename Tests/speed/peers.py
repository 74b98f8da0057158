#!/usr/bin/env python3
"""A peer of `make bench`, held alive: work on standard input, a line of JSON each, and an answer a line.

    Tests/speed/peers.py openai-whisper|transformers|ctranslate2|whisper.cpp --work FOLDER [--model FOLDER]

The fields are those of `Work` and `WorkReply` in Sources/Bench/Contenders. Each peer loads the same Hugging Face folder in
float32 (CTranslate2 also in int8), hears the same log-mel, and times the work alone with `perf_counter`: no gradients,
nothing loaded or converted inside. `probe` are sixteen elements of the result, so that one can see that it is the same.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
# Behind the libraries, one of which has the name of a file there.
sys.path.append(str(ROOT / "Tests" / "parity"))


class Refusal(Exception):
    """What a peer cannot do; it stays alive."""


class Peer:
    """What all of them share: the log-mel and the samples, read once."""

    def __init__(self, options):
        self.model_path = options.model
        self.work_path = options.work
        self.cache = {}

    def kept(self, key, make):
        if key not in self.cache:
            self.cache[key] = make()
        return self.cache[key]

    def mel(self, work):
        """float32 [n_mels, frames]"""
        path = work["mel"]
        return self.kept(path, lambda: np.fromfile(path, dtype="<f4").reshape(-1, work["frames"]))

    def samples(self, work):
        path = work["samples"]
        return self.kept(path, lambda: np.fromfile(path, dtype="<f4"))

    def answer(self, work):
        method = getattr(self, work["run"], None)
        if method is None:
            raise Refusal(f"has nothing like '{work['run']}'")
        return method(work)


def timed(work):
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def recording(path):
    """Mono float32 at 16 kHz; openai-whisper's own reader wants ffmpeg, whose start would count."""
    import soundfile
    from scipy.signal import resample_poly
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    samples = samples.mean(axis=1)
    return samples if rate == 16_000 else resample_poly(samples, 16_000, rate).astype(np.float32)


class PeakMemory:
    """How much more memory this process has had at most since a moment, as Sources/Bench/Figures/PeakMemory.swift does it."""

    def __init__(self):
        Path("/proc/self/clear_refs").write_text("5")
        self.before = self.bytes("VmRSS:")

    @staticmethod
    def bytes(name):
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith(name))

    def above(self):
        return max(0, self.bytes("VmHWM:") - self.before)


def probe(array):
    flat = np.asarray(array, dtype=np.float32).reshape(-1)
    return [float(flat[index * (len(flat) - 1) // 15]) for index in range(16)] if len(flat) else []


class Torch(Peer):
    """PyTorch's own: the number of threads, and single kernels."""

    def __init__(self, options):
        super().__init__(options)
        import torch
        self.torch = torch

    def answer(self, work):
        if self.torch.get_num_threads() != work["threads"]:
            self.torch.set_num_threads(work["threads"])
        # Only what is trained needs gradients.
        with self.torch.inference_mode(work["run"] not in ("dictionary", "gradient")):
            return super().answer(work)

    def dictionary(self, work):
        import dictionaries
        make = lambda: dictionaries.Training(self.samples(work), work["variant"], *work["sizes"])
        training = self.kept(("dictionary", work["variant"]), make)
        seconds, _ = timed(lambda: [training.step() for _ in range(work["count"])])
        return {"seconds": seconds, "text": training.figures()}

    def tensor(self, work):
        """float32 [1, n_mels, frames]"""
        return self.kept(("tensor", work["mel"]), lambda: self.torch.from_numpy(self.mel(work))[None])

    def kernel(self, work):
        """One operator on one thread, again and again for a twentieth of a second; new operands' results each time."""
        torch, name, sizes = self.torch, work["kernel"], work["sizes"]
        functional = torch.nn.functional
        make = lambda *shape: self.kept((name, shape), lambda: torch.rand(*shape) * 2 - 1)
        a = make(sizes[0], sizes[-1] if len(sizes) == 3 else sizes[1])
        if name in ("product", "packed"):
            b = make(sizes[1], sizes[2])
            call = lambda: functional.linear(a, b)
        elif name == "product_rows":
            b = make(sizes[2], sizes[1])
            call = lambda: a @ b
        elif name == "gelu":
            call = lambda: functional.gelu(a)
        elif name == "softmax":
            call = lambda: functional.softmax(a, dim=-1)
        elif name == "layer_norm":
            gain = make(sizes[1])
            call = lambda: functional.layer_norm(a, (sizes[1],), gain, gain)
        else:
            raise Refusal(f"has no kernel '{name}'")
        call()
        total, calls = 0.0, 0
        while total < 0.05 and calls < 10_000:
            total += timed(call)[0]
            calls += 1
        return {"seconds": total / calls}


class OpenAI(Torch):
    """openai/whisper. Variants of `encode`: `sdpa` as it comes, or with the attention patterns laid out where they are
    captured. Captures are forward hooks whose tensors are kept to the end."""

    def __init__(self, options):
        super().__init__(options)
        import whisper
        self.whisper = whisper

    def model(self):
        return self.kept("model", self.load)

    def load(self):
        import checkpoints
        dimensions, state = checkpoints.folder_state(self.model_path)
        model = self.whisper.model.Whisper(dimensions)
        model.load_state_dict({name: self.torch.from_numpy(value) for name, value in state.items()})
        return model.eval()

    def audio(self, work):
        """[1, n_audio_ctx, n_audio_state]"""
        return self.kept(("audio", work["mel"]), lambda: self.encoded(self.tensor(work)))

    def encoded(self, mel):
        """Of fewer frames than the model's context too: the first positions."""
        encoder = self.model().encoder
        whole = encoder.positional_embedding
        encoder.positional_embedding = whole[:mel.shape[-1] // 2]
        try:
            return encoder(mel)
        finally:
            encoder.positional_embedding = whole

    def encode(self, work):
        mel, kept = self.tensor(work), []
        capture = work.get("capture", "none")
        handles = self.hooks(kept) if capture != "none" else []
        attention = self.whisper.model.MultiHeadAttention
        plain = attention.qkv_attention
        if capture == "patterns":
            attention.qkv_attention = self.laid_out(kept)
        try:
            seconds, output = timed(lambda: self.encoded(mel))
        finally:
            attention.qkv_attention = plain
            for handle in handles:
                handle.remove()
        expected = {"none": 0, "residual": 2, "patterns": 3}[capture] * len(self.model().encoder.blocks)
        assert len(kept) == expected, f"{len(kept)} captures; expected {expected}"
        return {"seconds": seconds, "probe": probe(output)}

    def hooks(self, kept):
        keep = lambda module, inputs, output: kept.append(output)
        return [module.register_forward_hook(keep) for block in self.model().encoder.blocks
                for module in (block, block.mlp[1])]

    def laid_out(self, kept, differentiates=False, take=None):
        """openai's own arithmetic without sdpa, its pattern kept: less work than a softmax of the scores that it returns.

        With `take` nothing is kept here: it is called with each pattern's gradient as soon as that is known.
        """
        functional = self.torch.nn.functional

        def qkv_attention(self, q, k, v, mask=None):
            scale = (q.shape[-1] // self.n_head) ** -0.25
            q = q.view(*q.shape[:2], self.n_head, -1).permute(0, 2, 1, 3)
            k = k.view(*k.shape[:2], self.n_head, -1).permute(0, 2, 1, 3)
            v = v.view(*v.shape[:2], self.n_head, -1).permute(0, 2, 1, 3)
            pattern = functional.softmax((q * scale) @ (k * scale).transpose(-1, -2), dim=-1)
            if differentiates:
                if not pattern.requires_grad:
                    pattern.requires_grad_()
                elif not take:
                    pattern.retain_grad()
                if take:
                    pattern.register_hook(take)
            if not take:
                kept.append(pattern)
            return (pattern @ v).permute(0, 2, 1, 3).flatten(start_dim=2), None
        return qkv_attention

    def gradient(self, work):
        """Back from the sum of the encoder's outputs to every pattern; weights learn nothing."""
        model, patterns = self.model().requires_grad_(False), []
        mel = self.tensor(work)
        attention = self.whisper.model.MultiHeadAttention
        plain = attention.qkv_attention
        passing, probes = work.get("variant") == "passing", []
        take = (lambda gradient: probes.append(probe(gradient))) if passing else None
        attention.qkv_attention = self.laid_out(patterns, differentiates=True, take=take)
        memory = PeakMemory()
        try:
            seconds, _ = timed(lambda: self.encoded(mel).sum().backward())
        finally:
            attention.qkv_attention = plain
        above = memory.above()
        if passing:
            assert len(probes) == len(model.encoder.blocks)
            return {"seconds": seconds, "probe": probes[-1], "bytes": above}
        assert len(patterns) == len(model.encoder.blocks) and all(one.grad is not None for one in patterns)
        return {"seconds": seconds, "probe": probe(patterns[0].grad), "bytes": above}

    def mel_spectrogram(self, work):
        samples = self.samples(work)
        return lambda: self.whisper.log_mel_spectrogram(samples, work["bands"])

    def answer(self, work):
        if work["run"] == "mel":
            with self.torch.inference_mode():
                self.torch.set_num_threads(work["threads"])
                seconds, spectrogram = timed(self.mel_spectrogram(work))
            return {"seconds": seconds, "probe": probe(spectrogram)}
        return super().answer(work)

    def greedy(self, work):
        model, audio, tokens = self.model(), self.audio(work), []
        cache, handles = model.install_kv_cache_hooks()
        ordinary = work["sizes"][0]

        def step(given):
            logits = model.decoder(self.torch.tensor([given]), audio, kv_cache=cache)
            tokens.append(int(logits[0, -1, :ordinary].argmax()))

        def rest():
            while len(tokens) < work["count"]:
                step(tokens[-1:])
        try:
            first, _ = timed(lambda: step(work["prompt"]))
            seconds, _ = timed(rest)
        finally:
            for handle in handles:
                handle.remove()
        return {"seconds": seconds if work["count"] > 1 else first, "tokens": tokens}

    def beam(self, work):
        options = self.whisper.DecodingOptions(
            language=work.get("language", "en"), beam_size=work["beams"], without_timestamps=True, fp16=False,
            sample_len=work.get("count"))
        model, audio = self.model(), self.audio(work)
        seconds, results = timed(lambda: self.whisper.decode(model, audio, options))
        return {"seconds": seconds, "tokens": results[0].tokens}

    def prompts(self, work):
        """Keys and values of the audio are made once and shared, as somebody who knows the code would do it."""
        model, audio, count = self.model(), self.audio(work), work["count"]
        tokens = self.torch.tensor([work["prompt"] + [300 + index] for index in range(count)])

        def run():
            # The first entry's length is what the decoder takes for tokens that were read.
            cache = {"read": self.torch.zeros(1, 0)}
            for block in model.decoder.blocks:
                attention = block.cross_attn
                cache[attention.key] = attention.key(audio).expand(count, -1, -1)
                cache[attention.value] = attention.value(audio).expand(count, -1, -1)
            decoder = model.decoder
            x = decoder.token_embedding(tokens) + decoder.positional_embedding[:tokens.shape[1]]
            for block in decoder.blocks:
                x = block(x, audio, mask=decoder.mask, kv_cache=cache)
            return decoder.ln(x)[:, -1] @ decoder.token_embedding.weight.T
        seconds, logits = timed(run)
        return {"seconds": seconds, "probe": probe(logits)}

    def transcribe(self, work):
        model = self.model()
        run = lambda: [self.whisper.transcribe(
            model, recording(file), language=work.get("language", "en"), temperature=0.0,
            condition_on_previous_text=False, fp16=False)["text"] for file in work["files"]]
        seconds, texts = timed(run)
        return {"seconds": seconds, "text": "\n".join(texts)}


class Transformers(Torch):
    """Hugging Face transformers. Variants of `encode`: `sdpa`, and `eager` with attentions and hidden states."""

    def model(self, attention):
        return self.kept(attention, lambda: self.load(attention))

    def load(self, attention):
        import transformers
        transformers.logging.set_verbosity_error()
        model = transformers.WhisperModel.from_pretrained(
            self.model_path, dtype=self.torch.float32, attn_implementation=attention)
        return model.eval()

    def encode(self, work):
        mel, eager = self.tensor(work), work["variant"] == "eager"
        encoder = self.model(work["variant"]).encoder
        if mel.shape[-1] != 2 * encoder.config.max_source_positions:
            raise Refusal("takes whole windows only")
        asked = {"output_attentions": True, "output_hidden_states": True} if eager else {}
        seconds, output = timed(lambda: encoder(mel, **asked))
        if eager:
            layers = encoder.config.encoder_layers
            assert len(output.attentions) == layers and len(output.hidden_states) == layers + 1
        return {"seconds": seconds, "probe": probe(output.last_hidden_state)}

    def mel_extractor(self, work):
        import transformers
        return self.kept(("extractor", work["bands"]), lambda: transformers.WhisperFeatureExtractor(
            feature_size=work["bands"]))

    def answer(self, work):
        if work["run"] != "mel":
            return super().answer(work)
        self.torch.set_num_threads(work["threads"])
        extractor, samples = self.mel_extractor(work), self.samples(work)
        # As many samples as there are: no padding, nothing cut off.
        seconds, features = timed(lambda: extractor(
            samples, sampling_rate=16_000, padding="do_not_pad", truncation=False, return_tensors="np"))
        return {"seconds": seconds, "probe": probe(features["input_features"])}

    def greedy(self, work):
        model, mel, tokens = self.model("sdpa"), self.tensor(work), []
        audio = self.kept(("audio", work["mel"]), lambda: model.encoder(mel).last_hidden_state)
        embedding, ordinary, cache = model.decoder.embed_tokens.weight, work["sizes"][0], None

        def step(given):
            nonlocal cache
            output = model.decoder(self.torch.tensor([given]), encoder_hidden_states=audio, past_key_values=cache,
                                   use_cache=True)
            cache = output.past_key_values
            tokens.append(int((output.last_hidden_state[0, -1] @ embedding.T)[:ordinary].argmax()))

        def rest():
            while len(tokens) < work["count"]:
                step(tokens[-1:])
        first, _ = timed(lambda: step(work["prompt"]))
        seconds, _ = timed(rest)
        return {"seconds": seconds if work["count"] > 1 else first, "tokens": tokens}


class CTranslate2(Peer):
    """CTranslate2, and faster-whisper over it for recordings. Variants: compute types, `float32` and `int8`."""

    def __init__(self, options):
        super().__init__(options)
        import ctranslate2
        self.ctranslate2 = ctranslate2

    def converted(self):
        return self.kept("converted", self.convert)

    def convert(self):
        """Its own format, in float16 as the weights are; both compute types are made of it when it is loaded."""
        import shutil
        import vocabularies
        from ctranslate2.converters import TransformersConverter
        source, name = Path(self.model_path), Path(self.model_path).name
        if not (source / "tokenizer.json").exists():
            # Weights without a vocabulary get a released one of their size.
            folder = Path(self.work_path) / f"named-{name}"
            folder.mkdir(exist_ok=True)
            for file in source.iterdir():
                if not (folder / file.name).exists():
                    (folder / file.name).symlink_to(file)
            tokens = json.loads((source / "config.json").read_text())["vocab_size"]
            vocabulary = vocabularies.released("multilingual", 100 if tokens == 51866 else 99)
            vocabularies.write_tokenizer_json(vocabulary, folder)
            source = folder
        out = Path(self.work_path) / f"ct2-{name}"
        if not (out / "model.bin").exists():
            TransformersConverter(str(source), load_as_float16=True, low_cpu_mem_usage=True).convert(
                str(out), quantization="float16", force=True)
            shutil.copy(source / "tokenizer.json", out / "tokenizer.json")
        return str(out)

    def model(self, work):
        key = ("model", work["variant"], work["threads"])
        return self.kept(key, lambda: self.ctranslate2.models.Whisper(
            self.converted(), compute_type=work["variant"], inter_threads=1, intra_threads=work["threads"]))

    def view(self, work):
        return self.ctranslate2.StorageView.from_array(np.ascontiguousarray(self.mel(work)[None]))

    def encode(self, work):
        model, mel = self.model(work), self.view(work)
        seconds, output = timed(lambda: model.encode(mel))
        return {"seconds": seconds, "probe": probe(np.array(output))}

    @staticmethod
    def length(prompt, tokens):
        """The `max_length` at which so many tokens are sampled: it leaves room for half of it, or what the prompt leaves."""
        return max(2 * tokens, len(prompt) + tokens)

    def audio(self, work):
        return self.kept(("audio", work["mel"], work["variant"]), lambda: self.model(work).encode(self.view(work)))

    def greedy(self, work):
        """It takes a prompt and a length, and no steps: the steps are a long run less a run of one token."""
        model, audio, prompt, count = self.model(work), self.audio(work), work["prompt"], work["count"]
        config = json.loads((Path(self.model_path) / "config.json").read_text())
        special = list(range(work["sizes"][0], config["vocab_size"]))

        def run(tokens):
            return model.generate(audio, [prompt], beam_size=1, max_length=self.length(prompt, tokens),
                                  suppress_blank=False, suppress_tokens=special)[0].sequences_ids[0]
        first, tokens = timed(lambda: run(1))
        if count > 1:
            whole, tokens = timed(lambda: run(count))
        if len(tokens) != count:
            raise Refusal(f"gave {len(tokens)} tokens of {count}")
        return {"seconds": whole - first if count > 1 else first, "tokens": [int(token) for token in tokens]}

    def beam(self, work):
        model, audio, prompt = self.model(work), self.audio(work), work["prompt"]
        seconds, results = timed(lambda: model.generate(
            audio, [prompt], beam_size=work["beams"], max_length=self.length(prompt, work["count"])))
        return {"seconds": seconds, "tokens": [int(token) for token in results[0].sequences_ids[0]]}

    def mel_features(self, work):
        from faster_whisper.feature_extractor import FeatureExtractor
        return self.kept(("extractor", work["bands"]), lambda: FeatureExtractor(feature_size=work["bands"]))

    def answer(self, work):
        if work["run"] != "mel":
            return super().answer(work)
        extractor, samples = self.mel_features(work), self.samples(work)
        seconds, features = timed(lambda: extractor(samples, padding=0))
        return {"seconds": seconds, "probe": probe(features)}

    def transcribe(self, work):
        from faster_whisper import WhisperModel
        key = ("faster", work["variant"], work["threads"])
        model = self.kept(key, lambda: WhisperModel(
            self.converted(), device="cpu", compute_type=work["variant"], cpu_threads=work["threads"]))

        def text(file):
            segments, _ = model.transcribe(file, language=work.get("language", "en"), beam_size=1, temperature=0.0,
                                           condition_on_previous_text=False)
            return "".join(segment.text for segment in segments)
        seconds, texts = timed(lambda: [text(file) for file in work["files"]])
        return {"seconds": seconds, "text": "\n".join(texts)}


class WhisperCpp(Peer):
    """whisper.cpp's command line, where $WHISPER_CPP names it. The times are those that it prints of itself: a process an
    answer, with the model loaded anew outside of them. Variants: the file's type, `f32` or `f16`."""

    def file(self, half):
        import checkpoints
        import layouts
        import vocabularies
        path = Path(self.work_path) / f"ggml-{Path(self.model_path).name}-{'f16' if half else 'f32'}.bin"
        if not path.exists():
            dimensions, state = checkpoints.folder_state(self.model_path)
            vocabulary = vocabularies.released("gpt2" if dimensions.n_vocab == 51864 else "multilingual", 99)
            layouts.write_ggml(path, dimensions, state, vocabulary, half=half)
        return path

    def sound(self, work):
        """whisper.cpp makes its own log-mel: it gets the sound, and its encoder always hears 30 s."""
        import soundfile
        path = Path(self.work_path) / (Path(work["samples"]).name + ".wav")
        if not path.exists():
            soundfile.write(path, self.samples(work), 16_000, subtype="PCM_16")
        return path

    def encode(self, work):
        return {"seconds": self.time(work, "encode time")}

    def time(self, work, what):
        import os
        import re
        import subprocess
        if "samples" not in work:
            raise Refusal("takes sound and no log-mel")
        command = [os.environ["WHISPER_CPP"], "-m", str(self.file(work["variant"] == "f16")), "-f", str(self.sound(work)),
                   "-t", str(work["threads"]), "-bs", "1", "-bo", "1", "-ng", "-nt"]
        done = subprocess.run(command, capture_output=True, text=True)
        found = re.search(rf"{what} *= *([0-9.]+) ms */ *([0-9]+) runs", done.stderr + done.stdout)
        if done.returncode or not found:
            raise Refusal(f"{command[0]} gave no '{what}' (status {done.returncode}): {done.stderr.strip()[-200:]}")
        return float(found.group(1)) / int(found.group(2)) / 1e3


PEERS = {"openai-whisper": OpenAI, "transformers": Transformers, "ctranslate2": CTranslate2, "whisper.cpp": WhisperCpp}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("peer", choices=sorted(PEERS))
    parser.add_argument("--model", help="a Hugging Face folder")
    parser.add_argument("--work", required=True, help="a folder for what has to be converted")
    options = parser.parse_args()
    # Answers have the standard output to themselves, whatever a library prints.
    answers, sys.stdout = sys.stdout, sys.stderr
    peer = PEERS[options.peer](options)
    for line in sys.stdin:
        try:
            reply = peer.answer(json.loads(line))
        except Exception as error:  # whatever a library throws is an answer; the next piece of work may do
            reply = {"error": f"{type(error).__name__}: {error}" if not isinstance(error, Refusal) else str(error)}
        print(json.dumps(reply), file=answers, flush=True)


if __name__ == "__main__":
    main()
