#!/usr/bin/env python3
"""Makes a folder of forty odd files, as people have them: `make.py OUT`. Needs ffmpeg, and nothing else.

Two sentences, from the demonstration clips, in every container that is common, cut short, with lengths that are wrong,
in a row, on other scales, under odd names; and files that are no sound. `expected.json` in the folder above says of each
what is right: the sentences that are heard, the code of a notice, a word of a refusal, or that it is left out.
"""
import json
import os
import pathlib
import struct
import subprocess
import sys

CLIPS = pathlib.Path(__file__).resolve().parents[3] / "models" / "demo"
ONE, TWO = "en-slt-01", "en-rms-02"


def ffmpeg(*arguments, data=None):
    return subprocess.run(
        ["ffmpeg", "-v", "error", "-nostdin", "-y", *map(str, arguments)], check=True, capture_output=True, input=data
    ).stdout


def samples(clip):
    """16 kHz mono s16le."""
    return ffmpeg("-i", CLIPS / f"{clip}.flac", "-f", "s16le", "-ac", 1, "-ar", 16000, "-")


def wav(data, rate=16000, channels=1, bits=16, form=1, length=None, extra=b""):
    size = len(data) if length is None else length
    block = channels * bits // 8
    head = struct.pack("<HHIIHH", form, channels, rate, rate * block, block, bits)
    riff = b"WAVEfmt " + struct.pack("<I", 16) + head + extra + b"data" + struct.pack("<I", size & 0xFFFFFFFF)
    return b"RIFF" + struct.pack("<I", len(riff) + size & 0xFFFFFFFF) + riff + data


def floats(data, scale):
    values = struct.unpack(f"<{len(data) // 2}h", data)
    return struct.pack(f"<{len(values)}f", *(value / 32768 * scale for value in values))


class Folder:
    def __init__(self, path):
        self.path = os.fsencode(path)
        os.makedirs(self.path, exist_ok=True)
        self.expected = {}

    def add(self, name, data, heard=(ONE,), notice=None, refusal=None, left_out=False, exact=False):
        """`exact`: whether the samples are those of the clips to the bit, so that the text is."""
        with open(os.path.join(self.path, os.fsencode(name)), "wb") as file:
            file.write(data)
        # Names as the program shows them in JSON.
        shown = "".join(chr(0xEF00 + ord(c) - 0xDC00) if "\udc80" <= c <= "\udcff" else c for c in os.fsdecode(os.fsencode(name)))
        self.expected[shown] = {
            "heard": [] if refusal or left_out else list(heard), "notice": notice, "refusal": refusal,
            "left_out": left_out, "exact": exact,
        }

    def encode(self, name, data, *arguments):
        """`data`, a WAV, as ffmpeg writes it under `name`."""
        path = os.path.join(self.path, os.fsencode(name))
        ffmpeg("-f", "wav", "-i", "-", *arguments, os.fsdecode(path), data=data)
        with open(path, "rb") as file:
            made = file.read()
        os.unlink(path)
        return made


def main(out):
    folder = Folder(out)
    first, second = samples(ONE), samples(TWO)
    plain, other = wav(first), wav(second)
    cut = lambda data: data[: len(data) * 3 // 4]  # noqa: E731

    folder.add("plain.wav", plain, exact=True)
    for ending, *codec in (
        ("flac",), ("aiff",), ("au",), ("w64",), ("caf", "-c:a", "pcm_s16be"), ("ogg", "-c:a", "libvorbis"),
        ("opus",), ("mp3",),
    ):
        made = folder.encode(f"x.{ending}", plain, *codec)
        exact = ending in ("flac", "aiff", "au", "w64", "caf")
        folder.add(f"plain.{ending}", made, exact=exact)
        folder.add(f"cut.{ending}", cut(made), notice="cut_short damaged")
        if ending in ("flac", "ogg", "opus", "mp3"):
            rate = ["-ar", "48000", "-ac", "2"]
            folder.add(f"chained.{ending}", made + folder.encode(f"y.{ending}", other, *codec), heard=(ONE, TWO), exact=exact)
            folder.add(f"other-rate.{ending}", made + folder.encode(f"y.{ending}", other, *codec, *rate), heard=(ONE, TWO))
        if ending == "mp3":
            folder.add("zeros-first.mp3", b"\0" * 4000 + made, notice="passed_over")
            folder.add("mp3-in.wav", folder.encode("y.wav", plain, "-c:a", "libmp3lame"))
            folder.add("without-ending", made)
    folder.add("cut.wav", cut(plain), notice="cut_short")
    folder.add("length-zero.wav", wav(first, length=0), notice="wrong_length", exact=True)
    folder.add("length-too-large.wav", wav(first, length=len(first) + 2), exact=True)
    folder.add("length-unknown.wav", wav(first, length=0xFFFFFFFF), exact=True)
    folder.add("odd-peak.wav", wav(first, extra=b"PEAK" + struct.pack("<I", 12) + bytes(12)), notice="passed_over", exact=True)
    folder.add("int16-scale.wav", wav(floats(first, 32768), bits=32, form=3), notice="scaled", exact=True)
    folder.add("hundredfold.wav", wav(floats(first, 100), bits=32, form=3), notice="scaled")
    folder.add("right-scale.wav", wav(floats(first, 1), bits=32, form=3), exact=True)
    inverted = b"".join(first[i : i + 2] + struct.pack("<h", max(-32768, min(32767, -struct.unpack("<h", first[i : i + 2])[0]))) for i in range(0, len(first), 2))
    folder.add("cancelling.wav", wav(inverted, channels=2), heard=(), notice="channels_cancel")
    folder.add(b"byte-\xff.wav", plain, exact=True)
    folder.add("demo:x.wav", plain, exact=True)
    folder.add("other.wave", plain, exact=True)
    folder.add("other.bwf", plain, exact=True)
    folder.add("other.mp2", folder.encode("y.mp2", plain, "-c:a", "mp2"))
    for ending, *codec in (("m4a",), ("mp4", "-c:a", "aac"), ("webm",), ("mkv", "-c:a", "flac"), ("wma",), ("aac",)):
        folder.add(f"foreign.{ending}", folder.encode(f"y.{ending}", plain, *codec))
    folder.add("empty.wav", b"", refusal="empty")
    folder.add("no-samples.wav", wav(b""), refusal="no samples")
    folder.add("text.wav", b"Call me Ishmael.\n" * 40, refusal="text")
    folder.add("notes.md", b"# Notes\n", left_out=True)
    folder.add("page.pdf", b"%PDF-1.7\n" + bytes(100), left_out=True)
    with open(os.path.join(os.path.dirname(os.path.abspath(out)), "expected.json"), "w") as file:
        json.dump(folder.expected, file, indent=1)


if __name__ == "__main__":
    main(sys.argv[1])
