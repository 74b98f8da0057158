#!/usr/bin/env python3
"""Words of live sound: how many are wrong beside the transcript of the same recordings, and how late they are.

Recordings are sent as time goes by, so this takes as long as they do. A word's delay is counted from its end in the recording, by the
manifest's alignment, to the event that first has it where it stays (tentative: in a hypothesis; stable: where two looks agreed on it, or
final), as arXiv 2307.14743 counts it; so it holds look-ahead, computing and waiting together. Words are compared in lower case,
without punctuation.

    live_words.py SOCKET MODEL MANIFEST [COUNT] [--peer FOLDER]

with the Python client on PYTHONPATH; a daemon listens at SOCKET. With --peer the same is measured of whisper_streaming's windows by
faster-whisper (streaming_peer.py) with the model in FOLDER, CTranslate2's form of the same weights in float32, on as many threads
as there are cores.
"""
import argparse
import difflib
import json
import os
import pathlib
import re
import statistics
import sys
import threading
import time

import auscult

import streaming_peer

RATE = 16000
PIECE = RATE // 50


def words(text):
    return re.findall(r"[a-z']+", text.lower())


def errors(found, wanted):
    """Words to insert, delete or replace."""
    row = list(range(len(wanted) + 1))
    for i, a in enumerate(found):
        diagonal, row[0] = row[0], i + 1
        for j, b in enumerate(wanted):
            replaced = diagonal + (a != b)
            diagonal = row[j + 1]
            row[j + 1] = min(replaced, diagonal + 1, row[j] + 1)
    return row[-1]


def ends(path):
    """Words of a TextGrid's tier of that name, with the times of their ends."""
    text = pathlib.Path(path).read_text(encoding="utf-8")
    tier = next((part for part in text.split("item [")[1:] if re.search(r'name = "words?"', part)), "")
    found = re.findall(r'xmax = ([\d.]+)\s+text = "([^"]*)"', tier)
    return [(word, float(end)) for end, label in found for word in words(label)]


def settle(looks, last):
    """For each word of the last text the time of the look from which on it stood at its place."""
    times = [None] * len(last)
    for now, text in looks:
        for place, word in enumerate(last):
            if place < len(text) and text[place] == word:
                if times[place] is None:
                    times[place] = now
            else:
                times[place] = None
    return times


def listen(client, model, samples):
    """The text, and when looks at it came: tentative, stable."""
    line = client.live(model=model, language="en", rolling=auscult.Rolling())
    final, tentative, stable = [], [], []
    with line:
        began = time.monotonic()

        def send():
            for first in range(0, len(samples), PIECE):
                wait = began + (first + PIECE) / RATE - time.monotonic()
                if wait > 0:
                    time.sleep(wait)
                line.send(samples[first:first + PIECE])
            line.finish()

        sender = threading.Thread(target=send)
        sender.start()
        for event in line:
            now = time.monotonic() - began
            if isinstance(event, auscult.LiveSegment):
                final += words(event.text)
                stable.append((now, list(final)))
                tentative.append((now, list(final)))
            elif isinstance(event, auscult.LiveHypothesis):
                tentative.append((now, final + words(event.text)))
                stable.append((now, final + words(event.stable)))
        sender.join()
    return final, settle(tentative, final), settle(stable, final)


def percentiles(delays):
    if not delays:
        return "none"
    marks = [statistics.quantiles(delays, n=100, method="inclusive")[p - 1] for p in (50, 95, 99)] if len(delays) > 1 else delays * 3
    return "median {:.2f} s, 95 % {:.2f} s, 99 % {:.2f} s, {} words".format(*marks, len(delays))


class Tally:
    """Errors and delays of one system over all recordings."""

    def __init__(self, name):
        self.name, self.wrong, self.between, self.late = name, 0, 0, {"tentative": [], "stable": []}

    def add(self, found, looks, wanted, offline, times):
        """looks: by kind, for each word of `found` when it was there to stay; times: words with their ends."""
        self.wrong += errors(found, wanted)
        self.between += errors(found, offline)
        matcher = difflib.SequenceMatcher(a=[word for word, _ in times], b=found, autojunk=False)
        for a, b, size in matcher.get_matching_blocks():
            for i in range(size):
                for kind, late in self.late.items():
                    if looks[kind][b + i] is not None:
                        late.append(looks[kind][b + i] - times[a + i][1])

    def tell(self, total):
        print(f"{self.name}: {100 * self.wrong / total:.1f} % of words wrong, {100 * self.between / total:.1f} % beside the transcript")
        for kind, delays in self.late.items():
            print(f"{self.name}: from a word's end to its {kind} text: {percentiles(delays)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("socket", "model", "manifest"):
        parser.add_argument(name)
    parser.add_argument("count", nargs="?", type=int, default=20)
    parser.add_argument("--peer", metavar="FOLDER")
    options = parser.parse_args()
    folder = pathlib.Path(options.manifest).parent
    entries = [json.loads(line) for line in pathlib.Path(options.manifest).read_text().splitlines()]
    entries = [e for e in entries if e.get("language") == "en" and e.get("text") and e.get("alignment")][:options.count]
    if not entries:
        sys.exit(f"{options.manifest} has no English recording with a text and an alignment")
    peer = None
    if options.peer:
        import faster_whisper
        peer = faster_whisper.WhisperModel(options.peer, compute_type="float32", cpu_threads=os.cpu_count() or 1)
        streaming_peer.listen(peer, read(str(folder / entries[0]["path"])), words)  # Does not count.
    ours, theirs = Tally("auscult"), Tally("whisper_streaming's windows by faster-whisper")
    wrong, total, seconds = 0, 0, 0.0
    with auscult.connect(options.socket) as client:
        for entry in entries:
            path = str(folder / entry["path"])
            samples = read(path)
            wanted, times = words(entry["text"]), ends(folder / entry["alignment"])
            offline = words(client.transcribe(path, model=options.model, language="en").text)
            wrong += errors(offline, wanted)
            total += len(wanted)
            seconds += len(samples) / RATE
            live, tentative, stable = listen(client, options.model, samples)
            ours.add(live, {"tentative": tentative, "stable": stable}, wanted, offline, times)
            if peer:
                text, looks, sure = streaming_peer.listen(peer, samples, words)
                theirs.add(text, {"tentative": settle(looks, text), "stable": settle(sure, text)}, wanted, offline, times)
    print(f"{len(entries)} recordings, {seconds:.0f} s, {total} words; the transcript has {100 * wrong / total:.1f} % of them wrong")
    ours.tell(total)
    if peer:
        theirs.tell(total)


def read(path):
    """16 kHz mono, as most recordings of speech are."""
    import soundfile
    samples, rate = soundfile.read(path, dtype="float32")
    if rate != RATE or samples.ndim != 1:
        sys.exit(f"{path} has {rate} Hz and the shape {samples.shape}; expected {RATE} Hz, mono")
    return samples


if __name__ == "__main__":
    main()
