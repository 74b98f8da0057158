#!/usr/bin/env python3
"""Words of live sound: how many are wrong beside the transcript of the same recordings, and how late they are.

Recordings are sent as time goes by, so this takes as long as they do. A word's delay is counted from its end in the recording, by the
manifest's alignment, to the event that first has it where it stays (tentative: in a hypothesis; stable: where two looks agreed on it, or
final), as arXiv 2307.14743 counts it; so it holds look-ahead, computing and waiting together. Words are compared in lower case,
without punctuation.

    live_words.py SOCKET MODEL MANIFEST [COUNT]     with the Python client on PYTHONPATH; a daemon listens at SOCKET
"""
import difflib
import json
import pathlib
import re
import statistics
import sys
import threading
import time

import auscult

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


def main():
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    socket, model, manifest = sys.argv[1:4]
    most = int(sys.argv[4]) if len(sys.argv) == 5 else 20
    folder = pathlib.Path(manifest).parent
    entries = [json.loads(line) for line in pathlib.Path(manifest).read_text().splitlines()]
    entries = [e for e in entries if e.get("language") == "en" and e.get("text") and e.get("alignment")][:most]
    wrong, between, total, seconds, late = [0, 0], 0, 0, 0.0, {"tentative": [], "stable": []}
    with auscult.connect(socket) as client:
        for entry in entries:
            path = str(folder / entry["path"])
            samples = read(path)
            wanted = words(entry["text"])
            offline = words(client.transcribe(path, model=model, language="en").text)
            live, tentative, stable = listen(client, model, samples)
            wrong[0] += errors(live, wanted)
            wrong[1] += errors(offline, wanted)
            between += errors(live, offline)
            total += len(wanted)
            seconds += len(samples) / RATE
            times = ends(folder / entry["alignment"])
            matcher = difflib.SequenceMatcher(a=[word for word, _ in times], b=live, autojunk=False)
            for a, b, size in matcher.get_matching_blocks():
                for i in range(size):
                    for name, found in (("tentative", tentative), ("stable", stable)):
                        if found[b + i] is not None:
                            late[name].append(found[b + i] - times[a + i][1])
    print(f"{len(entries)} recordings, {seconds:.0f} s, {total} words")
    print(f"word errors: live {100 * wrong[0] / total:.1f} %, transcript {100 * wrong[1] / total:.1f} %, "
          f"of one beside the other {100 * between / total:.1f} %")
    for name, delays in late.items():
        print(f"from a word's end to its {name} text: {percentiles(delays)}")


def read(path):
    """16 kHz mono, as most recordings of speech are."""
    import soundfile
    samples, rate = soundfile.read(path, dtype="float32")
    if rate != RATE or samples.ndim != 1:
        sys.exit(f"{path} has {rate} Hz and the shape {samples.shape}; expected {RATE} Hz, mono")
    return samples


if __name__ == "__main__":
    main()
