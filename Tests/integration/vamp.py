"""What the Vamp plugins give, beside what `auscult transcribe` and `auscult trace` say; and what they do where hosts or the daemon do not
behave. Run by vamp.sh, whose environment names programs and folders."""

import base64
import json
import math
import os
import re
import struct
import subprocess
import wave

from vamp_host import Plugin, listening

OUT, AUSCULT = os.environ["OUT"], os.environ["AUSCULT"]
LIBRARY = os.environ["VAMP_PATH"] + "/auscult-vamp.so"
SOUND, TRACE, DICTIONARY = f"{OUT}/sound.wav", f"{OUT}/trace.safetensors", f"{OUT}/dictionary"
HOOK = "encoder.blocks.2.mlp.1"


def auscult(*arguments):
    return subprocess.run([AUSCULT, *arguments], check=True, stdout=subprocess.PIPE).stdout


def write_sound():
    """A clip of whole blocks: hosts fill the last one up with silence, and then nothing is filled up. Gives its samples as floats."""
    request = {"audio": {"clip": "en-slt-01"}}
    file = base64.b64decode(json.loads(auscult("call", "auscult.v1.Audio/Excerpt", json.dumps(request)))["data"])
    pcm = file[file.index(b"data") + 8 :]
    pcm += bytes(-len(pcm) % 512)
    with wave.open(SOUND, "wb") as out:
        out.setparams((1, 2, 16000, 0, "NONE", ""))
        out.writeframes(pcm)
    return [one / 32768 for one in struct.unpack(f"<{len(pcm) // 2}h", pcm)]


def tensor(path, name):
    """Rows of a safetensors file's tensor, which all have one width."""
    data = open(path, "rb").read()
    length = struct.unpack_from("<Q", data)[0]
    about = json.loads(data[8 : 8 + length])[name]
    rows, width = about["shape"][0], math.prod(about["shape"][1:])
    values = struct.unpack_from(f"<{rows * width}f", data, 8 + length + about["data_offsets"][0])
    return [list(values[row * width : (row + 1) * width]) for row in range(rows)]


def trace(hook, *options):
    auscult("trace", SOUND, "--hooks", hook, "--out", TRACE, *options)
    return tensor(TRACE, hook)


def write_dictionary(columns, width):
    """A SAELens dictionary whose latents are these columns, where they are positive."""
    encoder = [1.0 if column == row else 0.0 for row in range(width) for column in columns]
    tensors = {"W_enc": ([width, len(columns)], encoder), "W_dec": ([len(columns), width], encoder),
               "b_enc": ([len(columns)], [0.0] * len(columns)), "b_dec": ([width], [0.0] * width)}  # fmt: skip
    head, body = {}, b""
    for name, (shape, values) in tensors.items():
        data = struct.pack(f"<{len(values)}f", *values)
        head[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(head).encode()
    os.mkdir(DICTIONARY)
    with open(f"{DICTIONARY}/sae_weights.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + body)
    with open(f"{DICTIONARY}/cfg.json", "w") as file:
        json.dump({"architecture": "standard", "d_in": width, "d_sae": len(columns), "hook_name": HOOK}, file)


def shown(plugin, output):
    """What Vamp's own host prints: times, values and labels."""
    run = ["vamp-simple-host", f"auscult-vamp:{plugin}:{output}", SOUND]
    lines = subprocess.run(run, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True).stdout.splitlines()
    found = [re.fullmatch(r" *([\d.]+)(?:, ([\d.]+))?: ?([^ ]*) ?(.*)", line) for line in lines if line.strip()]
    assert all(found), lines
    return [(float(start), float(length or 0), float(value), label.strip()) for start, length, value, label in (one.groups() for one in found)]


def near(a, b, within=1e-5):
    return abs(a - b) <= within * max(1, abs(b))


def heard(identifier, samples, rate=16000, start=(1, 256, 256), at=0, **parameters):
    plugin = Plugin(LIBRARY, identifier, rate, **parameters)
    assert plugin.start(*start)
    plugin.play(samples, at)
    found = plugin.finish()
    assert not any(plugin.finish().values()), "features are given once"
    plugin.close()
    return found


def refused(identifier, rate=16000, start=(1, 256, 256), **parameters):
    plugin = Plugin(LIBRARY, identifier, rate, **parameters)
    with listening() as said:
        assert not plugin.start(*start)
    plugin.close()
    return said.text


def transcripts(samples):
    segments = json.loads(auscult("transcribe", SOUND, "--word-timestamps", "--format", "json"))[0]["segments"]
    words = [word for segment in segments for word in segment["words"]]
    assert len(words) == 9
    exact = heard("auscult-transcript", samples)
    for output, wanted in (("words", [(w["start"], w["end"], w["probability"], w["word"]) for w in words]),
                           ("segments", [(s["start"], s["end"], s["avg_logprob"], s["text"]) for s in segments])):  # fmt: skip
        given = [(start, length, value, label) for start, length, (value,), label in exact[output]]
        # Vamp's own host plays a block of silence behind the last one: a recording that is 16 ms longer.
        for found, within in ((given, 1e-6), (shown("auscult-transcript", output), 0.02)):
            assert len(found) == len(wanted), (found, wanted)
            for (start, length, value, label), (begin, end, number, text) in zip(found, wanted):
                assert near(start, begin, within) and near(start + length, end, within), (start, length, begin, end)
                assert near(value, number, within) and label == text.strip(), (value, label, number, text)
    print(f"words: {' '.join(word['word'].strip() for word in words)}")


def features(samples):
    rows = trace(HOOK)
    found = shown("auscult-features", "curve")
    assert len(rows) == math.ceil(len(samples) / 320) and len(found) == math.ceil((len(samples) + 256) / 320)
    for i, (start, _, value, _) in enumerate(found[: len(rows)]):
        assert near(start, i / 50) and near(value, rows[i][17]), (i, value, rows[i][17])
    # Blocks that overlap, and channels whose mean is the sound: nothing of it is lost or heard twice.
    odd = heard("auscult-features", [samples, [0.0] * len(samples), samples, samples, samples], start=(5, 129, 1000), index=638, columns=40)
    assert len(rows) <= len(odd["columns"]) <= len(rows) + 1 and all(len(one[2]) == 2 for one in odd["columns"])
    scaled = heard("auscult-features", [0.8 * one for one in samples], index=638, columns=2)
    for one, other in zip(odd["columns"], scaled["columns"]):
        assert near(one[0], other[0]) and all(near(a, b, 2e-3) for a, b in zip(one[2], other[2])), (one, other)
    exact = heard("auscult-features", samples, at=2_500_000_000, index=638, columns=40)
    assert [one[2] for one in exact["columns"]] == [row[638:] for row in rows]
    assert near(exact["curve"][0][0], 2.5) and near(exact["curve"][-1][0], 2.5 + (len(rows) - 1) / 50)
    # Heads lie side by side, and what stands before or behind the blocks has none.
    for point, block, hook in ((2, 1, "encoder.blocks.1.attn.q"), (12, 3, "encoder.blocks.3"), (13, 0, "encoder.ln_post")):
        found = heard("auscult-features", samples, point=point, block=block, index=33, columns=3)
        assert [one[2] for one in found["columns"]] == [row[33:36] for row in trace(hook)], hook
    print(f"features: {len(rows)} frames as the trace's")


def windows(samples):
    """A recording of several windows, and other rates."""
    long = samples * 7
    with wave.open(SOUND, "wb") as out:
        out.setparams((1, 2, 16000, 0, "NONE", ""))
        out.writeframes(struct.pack(f"<{len(long)}h", *(round(one * 32768) for one in long)))
    auscult("trace", SOUND, "--hooks", HOOK, "--out", TRACE)
    rows = tensor(TRACE, HOOK + "@window1") + tensor(TRACE, HOOK + "@window2")
    found = heard("auscult-features", long)["curve"]
    assert [one[2] for one in found] == [row[17:18] for row in rows] and near(found[-1][0], (len(rows) - 1) / 50)
    for rate in (8000, 192000):
        tone = [0.3 * math.sin(2000 * i / rate) for i in range(rate // 2)]
        assert abs(len(heard("auscult-features", tone, rate=rate, start=(1, rate // 50, rate // 50))["curve"]) - 25) <= 1
    print(f"several windows: {len(rows)} frames")


def latents(samples):
    columns = [0, 17, 300]
    rows = trace(HOOK, "--context", "auto")
    write_dictionary(columns, len(rows[0]))
    assert "AUSCULT_VAMP_DICTIONARY" in refused("auscult-latents")
    os.environ["AUSCULT_VAMP_DICTIONARY"] = DICTIONARY
    assert "no latent 3" in refused("auscult-latents", index=1, columns=3)
    found = heard("auscult-latents", samples, index=0, columns=3)["columns"]
    assert len(found) == len(rows)
    for i, (start, _, values, _) in enumerate(found):
        assert near(start, i / 50) and all(near(a, max(rows[i][b], 0), 1e-4) for a, b in zip(values, columns)), (i, values)
    # Longer than a context, and than a piece that is played: a value for each frame.
    assert len(heard("auscult-latents", samples * 17, index=1, columns=1)["curve"]) == math.ceil(len(samples) * 17 / 320)
    os.environ["AUSCULT_VAMP_DICTIONARY"] = OUT
    assert "cfg.json" in refused("auscult-latents")
    print(f"latents: {len(rows)} frames as the trace's columns")


def faults(samples):
    for text, call in (
        ("no column 640", dict(index=640)),
        ("encoder.blocks.4.mlp.1", dict(block=4)),
        ("tiny.en", dict(model=2)),
        ("193000 Hz", dict(rate=193000)),
        ("steps of 300 samples between blocks of 256", dict(start=(1, 300, 256))),
        ("65 channels", dict(start=(65, 256, 256))),
        ("0 samples", dict(start=(1, 0, 0))),
    ):
        said = refused("auscult-features", **call)
        assert text in said, (text, said)
    os.environ["AUSCULT_VAMP_MODEL"] = "no-such-model"
    assert "no-such-model" in refused("auscult-transcript")
    del os.environ["AUSCULT_VAMP_MODEL"]
    assert not any(heard("auscult-features", []).values()), "no sound, no features"
    silence = heard("auscult-transcript", [0.0] * 32000)
    assert all(math.isfinite(one[2][0]) for output in silence.values() for one in output)
    broken = heard("auscult-features", [math.nan, math.inf] * 3840)["curve"]
    assert len(broken) == 24 and all(math.isfinite(one[2][0]) for one in broken)

    # The daemon ends while the host plays; then there is none.
    plugin = Plugin(LIBRARY, "auscult-features", 16000)
    assert plugin.start()
    plugin.play(samples)
    auscult("stop", "--drain", "0")
    with listening() as said:
        assert not any(plugin.finish().values())
    assert "no daemon answers at" in said.text and "auscultd" in said.text, said.text
    plugin.close()
    assert "no daemon answers at" in refused("auscult-transcript")
    os.environ["AUSCULT_SOCKET"] = OUT + "/" + "x" * 120
    assert "at most 107" in refused("auscult-transcript")
    print("faults: each said what was wrong, and gave no features")


samples = write_sound()
transcripts(samples)
features(samples)
latents(samples)
windows(samples)
faults(samples)
