#!/usr/bin/env python3
"""Write subtitles.json: transcripts, and what openai-whisper's writers make of them.

openai-whisper 20250625: pip install openai-whisper; python3 Tests/Fixtures/commands/subtitles.py
"""
import io
import json
import pathlib

from whisper.utils import WriteSRT, WriteTXT, WriteVTT


def segment(index, start, end, text, words=None):
    out = {"id": index, "seek": 0, "start": start, "end": end, "text": text, "tokens": [1, 2], "temperature": 0.0,
           "avg_logprob": -0.25, "compression_ratio": 1.5, "no_speech_prob": 0.01}
    if words is not None:
        out["words"] = words
    return out


def word(text, start, end):
    return {"word": text, "start": start, "end": end, "probability": 0.9}


TRANSCRIPTS = {
    "empty": [],
    "plain": [segment(0, 0.0, 2.5, " Hello there."), segment(1, 2.5, 3.9995, " An arrow --> here"),
              segment(2, 59.9996, 3599.9994, " été "), segment(3, 3599.9996, 7322.0005, " past an hour")],
    "half milliseconds": [segment(0, 0.0005, 0.0015, " a"), segment(1, 0.0025, 1.2345, " b")],
    "words": [segment(0, 0.0, 2.5, " Hello there.", [word(" Hello", 0.1, 0.5), word(" there.", 0.62, 1.04)]),
              segment(1, 2.5, 4.0, " no words", []),
              segment(2, 4.0, 6.0, " --> you", [word(" -->", 4.2, 4.5), word(" you", 4.5, 5.9)])],
    "long line": [segment(0, 0.0, 9.0, " x", [word(" " + "abcdefghi" * 11, i, i + 0.5) for i in range(25)])],
    "no words first": [segment(0, 0.0, 1.0, " quiet", []), segment(1, 1.0, 2.0, " loud", [word(" loud", 1.1, 1.9)])],
}


def written(writer, segments):
    text = io.StringIO()
    writer("").write_result({"segments": segments}, file=text)
    return text.getvalue()


cases = [{"name": name, "transcription": {"text": "".join(s["text"] for s in segments), "language": "en",
                                          "segments": segments},
          "txt": written(WriteTXT, segments), "srt": written(WriteSRT, segments), "vtt": written(WriteVTT, segments)}
         for name, segments in TRANSCRIPTS.items()]
target = pathlib.Path(__file__).with_name("subtitles.json")
target.write_text(json.dumps(cases, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
