"""Writes expected.json: what openai-whisper makes of recordings with the released tiny.en.

    python Tests/Fixtures/released/generate.py .build/released/whisper-tiny.en

in a Python with openai-whisper 20250625, torch, numpy and soundfile. The weights are read from the CTranslate2 folder by
the few lines below, which share nothing with auscult's reader.

`lj-*.flac` are utterances of LJ Speech (Keith Ito and Linda Johnson; public domain), brought to 16 kHz by soxr, so that
no resampler is compared. The other recordings are the embedded clips.
"""

import json
import struct
import sys
from pathlib import Path

import numpy as np
import soundfile
import torch
import whisper
from whisper.model import ModelDimensions, Whisper

HERE = Path(__file__).parent
DEMO = HERE.parents[2] / "models/demo"
#: English clips of every synthesiser, and what is no speech.
CLIPS = ["en-slt-01", "en-awb-01", "en-rms-01", "en-us-01", "en-gb-01", "en-long-01", "nonspeech-melody", "nonspeech-noise"]


def variables(path):
    data, at = path.read_bytes(), 0

    def take(form):
        nonlocal at
        (value,) = struct.unpack_from("<" + form, data, at)
        at += struct.calcsize("<" + form)
        return value

    def text():
        nonlocal at
        length = take("H")
        at += length
        return data[at - length:at - 1].decode()

    assert take("I") == 6 and text() == "WhisperSpec" and take("I") == 3
    found = {}
    for _ in range(take("I")):
        name, shape = text(), [take("I") for _ in range(take("B"))]
        kind = {1: np.int8, 2: np.int16, 4: np.float16}[take("B")]
        size = take("I")
        found[name] = np.frombuffer(data[at:at + size], kind).reshape(shape)
        at += size
    return found


def model(folder):
    found = variables(folder / "model.bin")
    state = {}

    def linear(name, key, parts=("",)):
        for kind in ("weight", "bias"):
            for part, value in zip(parts, np.split(found[f"{key}/{kind}"], len(parts))):
                if not (part == "key" and kind == "bias"):
                    state[".".join(filter(None, [name, part, kind]))] = value

    def norm(name, key):
        state[name + ".weight"], state[name + ".bias"] = found[key + "/gamma"], found[key + "/beta"]

    for side, last in (("encoder", "ln_post"), ("decoder", "ln")):
        state[f"{side}.positional_embedding"] = found[f"{side}/position_encodings/encodings"]
        norm(f"{side}.{last}", f"{side}/layer_norm")
        for layer in range(sum(f"{side}/layer_{n}/ffn/linear_0/bias" in found for n in range(99))):
            block, key = f"{side}.blocks.{layer}", f"{side}/layer_{layer}"
            norm(block + ".attn_ln", key + "/self_attention/layer_norm")
            norm(block + ".mlp_ln", key + "/ffn/layer_norm")
            linear(block + ".attn", key + "/self_attention/linear_0", ("query", "key", "value"))
            linear(block + ".attn.out", key + "/self_attention/linear_1")
            linear(block + ".mlp.0", key + "/ffn/linear_0")
            linear(block + ".mlp.2", key + "/ffn/linear_1")
            if side == "decoder":
                norm(block + ".cross_attn_ln", key + "/attention/layer_norm")
                linear(block + ".cross_attn.query", key + "/attention/linear_0")
                linear(block + ".cross_attn", key + "/attention/linear_1", ("key", "value"))
                linear(block + ".cross_attn.out", key + "/attention/linear_2")
    for conv in ("conv1", "conv2"):
        linear(f"encoder.{conv}", f"encoder/{conv}")
    state["decoder.token_embedding.weight"] = found["decoder/embeddings/weight"]
    width, bands = found["encoder/conv1/weight"].shape[:2]
    network = Whisper(ModelDimensions(
        n_mels=bands, n_audio_ctx=1500, n_audio_state=width, n_audio_head=int(found["encoder/num_heads"]),
        n_audio_layer=sum(name.endswith("attn.out.bias") and name.startswith("encoder") for name in state),
        n_vocab=len(found["decoder/embeddings/weight"]), n_text_ctx=448, n_text_state=width,
        n_text_head=int(found["decoder/num_heads"]),
        n_text_layer=sum(name.endswith("cross_attn.out.bias") for name in state)))
    network.load_state_dict({name: torch.tensor(value.astype(np.float32)) for name, value in state.items()})
    heads = torch.zeros(network.dims.n_text_layer, network.dims.n_text_head, dtype=torch.bool)
    for layer, head in json.loads((folder / "config.json").read_text())["alignment_heads"]:
        heads[layer, head] = True
    network.register_buffer("alignment_heads", heads.to_sparse(), persistent=False)
    return network.eval()


def main():
    network = model(Path(sys.argv[1]))
    recordings = []
    paths = sorted(HERE.glob("lj-*.flac")) + [DEMO / f"{name}.flac" for name in CLIPS]
    for path in paths:
        audio, rate = soundfile.read(path, dtype="float32")
        assert rate == 16000 and audio.ndim == 1
        # Greedy alone: draws at a temperature are another generator's.
        result = whisper.transcribe(network, audio, language="en", temperature=0.0, word_timestamps=True, fp16=False)
        recordings.append({
            "file": path.name,
            "text": result["text"],
            "segments": [
                {
                    "tokens": segment["tokens"], "start": round(segment["start"], 3), "end": round(segment["end"], 3),
                    "words": [[word["word"], round(float(word["start"]), 3), round(float(word["end"]), 3)]
                              for word in segment["words"]],
                }
                for segment in result["segments"]
            ],
        })
    lines = ",\n".join(json.dumps(recording, ensure_ascii=False) for recording in recordings)
    (HERE / "expected.json").write_text(f'{{"whisper": "{whisper.__version__}", "recordings": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
