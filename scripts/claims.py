#!/usr/bin/env python3
"""scripts/claims.py REPORT [--base REPORT] [--check]: the figures of the pages of claims (docs/*.md), of what `auscult reproduce` wrote.

    auscult reproduce voices.jsonl --out report --model tiny.en
    auscult reproduce voices.jsonl --out base --model base --only bigrams
    scripts/claims.py report --base base

A table keeps its header and gets new rows, a sentence that is known by its words gets new numbers, and pictures are the report's. What
is said of the figures by hand is printed at the end, with the numbers that it rests on: read it again. --check changes nothing, and fails where a
page would change. Python 3.9 or later, no packages.
"""

import argparse
import collections
import csv
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
MODEL = "tiny.en"
csv.field_size_limit(1 << 30)


class Report:
    """A folder that `auscult reproduce` wrote."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        if not (self.folder / "results.json").exists():
            sys.exit(f"{folder} has no results.json: expected what `auscult reproduce --out` wrote")
        self.head = json.loads((self.folder / "results.json").read_text())
        self.sections = {section["id"]: section for section in self.head["sections"]}

    def rows(self, part, name):
        """The rows of a table; one that is large comes in pieces."""
        found = []
        for number in range(1, 10_000):
            path = self.folder / part / (f"{name}.csv" if number == 1 else f"{name}-{number}.csv")
            if not path.exists():
                break
            with open(path, newline="") as file:
                found += csv.DictReader(file)
        if not found:
            sys.exit(f"{self.folder}/{part} has no rows of {name}.csv")
        return found

    def verdict(self, section):
        """`**tiny.en: holds partly.** What was found.`"""
        found = self.sections[section]
        return f"**{MODEL}: {found['verdict'].replace('_', ' ')}.** {found['finding']}"


class Page:
    """A page, and what is to change of it."""

    def __init__(self, name):
        self.path, self.notes = ROOT / name, []
        self.before = self.text = self.path.read_text()

    def sentence(self, pattern, replacement):
        """The one place that matches becomes `replacement`, whatever it has."""
        found = list(re.finditer(pattern, self.text, re.DOTALL))
        if len(found) != 1:
            sys.exit(f"{self.path}: {len(found)} places match {pattern!r}, expected one")
        self.text = self.text[: found[0].start()] + replacement + self.text[found[0].end() :]

    def table(self, header, rows, place=0):
        """The rows below the `place`-th table with this header (and the line of dashes)."""
        lines = self.text.split("\n")
        starts = [index for index, line in enumerate(lines) if line == header]
        if len(starts) <= place:
            sys.exit(f"{self.path}: there are {len(starts)} tables with the header {header!r}, expected {place + 1}")
        start = starts[place] + 2
        end = next(index for index in range(start, len(lines) + 1) if index == len(lines) or not lines[index].startswith("|"))
        self.text = "\n".join([*lines[:start], *("".join(f"| {cell} " if cell else "| " for cell in row) + "|" for row in rows), *lines[end:]])

    def save(self, check):
        """-> whether it has changed"""
        if self.text != self.before and not check:
            self.path.write_text(self.text)
        return self.text != self.before


def percent(value, digits=0):
    return f"{100 * float(value):.{digits}f} %"


def number(value, digits=2):
    return f"{float(value):.{digits}f}"


def whole(value):
    """Whole numbers stand in the files as `3.0`."""
    return int(float(value))


def bold(text, when):
    return f"**{text}**" if when else text


def thousands(value):
    return f"{int(value):,}"


# MARK: neurons and ranges

#: As FeatureScan.swift has it.
PRECISION = 0.5


def phoneme_labels(report, part):
    """feature -> its label, a row of the scan's table."""
    found = {}
    for row in report.rows(part, "labels"):
        if row["side"] == "+" and row["kind"] == "phoneme":
            feature = whole(row["feature"])
            if feature not in found or float(row["precision_at_recall"]) > float(found[feature]["precision_at_recall"]):
                found[feature] = row
    return found


def is_selective(row):
    return float(row["precision_at_recall"] or "nan") >= PRECISION


def label_cells(row):
    at = number(row["precision_at_recall"])
    return [row["label"], number(row["precision"]), bold(at, is_selective(row)), number(row["base"], 3),
            number(row["average_precision"]), number(row["auc"]), f"{20 * whole(row['lag'])} ms"]  # fmt: skip


def counted(words):
    """`S 31, N 21`, the most frequent first."""
    counts = collections.Counter(words)
    return ", ".join(f"{word} {counts[word]}" for word in sorted(counts, key=lambda word: (-counts[word], word)))


def neurons(report, page):
    labels = phoneme_labels(report, "scan/scan")
    selective = {feature: row for feature, row in labels.items() if is_selective(row)}
    page.sentence(rf"\*\*{re.escape(MODEL)}: [^*]*\*\* .*? that did not name it\.", report.verdict("neurons"))
    page.sentence(r"(?<=Neurons by phoneme: )[^.]*", counted(row["label"] for row in selective.values()))
    clearest = sorted(selective, key=lambda feature: (-float(selective[feature]["precision_at_recall"]), feature))[:15]
    page.table("| neuron | phoneme | precision | at recall 5 % | share of all frames | AP | AUC | lag |",
               [[str(feature), *label_cells(selective[feature])] for feature in sorted(clearest)])  # fmt: skip
    heard = {whole(row["neuron"]): row["examples"] for row in report.rows("scan/scan", "neurons")}
    page.table(
        "| neuron | phoneme | precision | at recall 5 % | share of all frames | AP | AUC | lag | heard |",
        [[str(feature), *(label_cells(labels[feature]) if feature in labels else ["–"] + [""] * 6), heard[feature].strip()]
         for feature in range(50)])  # fmt: skip
    areas = sorted(float(row["auc"]) for row in selective.values())
    lags = collections.Counter(f"{20 * whole(row['lag'])} ms" for row in selective.values())
    former = [row for row in labels.values() if float(row["precision"]) >= 0.5 and float(row["auc"]) >= 0.7]
    page.notes += [
        f"by the rule before (precision 0.5 above its own quantile, AUC 0.7): {len(former)}; AUC of the selective: median "
        f"{areas[len(areas) // 2]:.2f}, below 1/2 {sum(area < 0.5 for area in areas)} of {len(areas)}; lags {lags.most_common(5)}",
        f"recall above the quantile of 44: {labels[44]['recall'] if 44 in labels else 'no label'}; {len(labels)} have a phoneme",
        f"phonemes: {len({row['label'] for row in selective.values()})}",
    ]


def ranges(report, page):
    rows = report.rows("ranges/findings", "neurons")
    several = [row for row in rows if row["a lower range"]]
    page.sentence(rf"\*\*{re.escape(MODEL)}: [^*]*\*\* .*? that another one leads\.", report.verdict("ranges"))
    pairs = collections.Counter("/".join(sorted([row["highest range"], row["a lower range"]])) for row in several)
    most = sorted(pairs, key=lambda pair: (-pairs[pair], pair))[:12]
    page.sentence(r"(?<=that most neurons have: )[^.]*", ", ".join(f"{pair} {pairs[pair]}" for pair in most))
    several.sort(key=lambda row: (-float(row["its share there"]), whole(row["neuron"])))
    page.table("| neuron | highest range | a lower range | its share there |",
               [[str(whole(row["neuron"])), row["highest range"], row["a lower range"], percent(row["its share there"])]
                for row in several[:12]])  # fmt: skip


# MARK: what is written

#: A recording whose transcripts stand on the pages.
SHOWN = "1688-142285-0002"


def attention(report, page):
    heads = report.rows("attention/heads", "heads")
    within = next(name for name in heads[0] if name.startswith("within 10"))
    is_local = {(row["layer"], row["head"]): row["class"] in ("local", "positional") for row in heads}
    count = collections.Counter(layer for (layer, _), local in is_local.items() if local)
    layers = sorted({row["layer"] for row in heads}, key=float)
    page.table("| layer | head 0 | 1 | 2 | 3 | 4 | 5 | local |",
               [[str(whole(layer)),
                 *(percent(row[within]) + (" ●" if is_local[layer, row["head"]] else "")
                   for row in sorted((row for row in heads if row["layer"] == layer), key=lambda row: float(row["head"]))),
                 str(count[layer])] for layer in layers])  # fmt: skip
    windows = report.rows("attention/findings", "windows")
    said = {"1500": "everything", "75": '"still reasonably accurate"', "50": "ever fewer words", "20": "ever fewer words", "10": "nothing"}
    page.table("| k | each side | pairs of frames hidden | words that stay | against no window | against what is said | the post |",
               [[f"±{k}", f"{float(row['seconds']):g} s", percent(row["pairs of frames hidden"]), percent(row["words that stay"], 1),
                 percent(row["error rate against no window"], 1), percent(row["error rate against what is said"], 1), said.get(k, "")]
                for row in windows for k in [str(whole(row["window"]))]])  # fmt: skip
    written = {row["window"]: row["transcript"].strip() for row in report.rows("attention/findings", "transcripts") if SHOWN in row["recording"]}
    page.table("| window | transcript |", [[window, text] for window, text in written.items()])
    page.notes += [report.verdict("attention"), f"local by layer: {dict(count)}; recordings {windows[0]['recordings']}",
                   f"transcripts: {len(report.rows('attention/findings', 'transcripts'))} rows"]  # fmt: skip


def words(report, page):
    page.sentence(rf"\*\*{re.escape(MODEL)}: [^*]*\*\* .*? others stay\.", report.verdict("words"))
    cuts = report.rows("words/findings", "cuts")
    shares = report.rows("words/findings", "shares")
    name = next(iter(shares[0]))
    count = collections.Counter(row["cut"] for row in cuts)
    page.table("| cut | recordings | words in the cut that are gone | other words that are gone |",
               [[row[name], str(count[row[name]]), percent(row["words in the cut"]), percent(row["other words"])] for row in shares])  # fmt: skip
    # Short ones, so that a row is a line.
    shown = list(dict.fromkeys(row["recording"] for row in cuts if len(row["before"]) < 70))[:4]
    page.table("| cut | words in it | before | after |",
               [[row["cut"], row["words in it"], row["before"].strip(), row["after"].strip()] for row in cuts
                if row["recording"] in shown])  # fmt: skip


def bigrams(reports, page):
    names = list(reports)
    hits = {model: report.rows("bigrams/findings", "hits") for model, report in reports.items()}
    first = next(iter(hits[MODEL][0]))
    page.table(f"| most probable | {' | '.join(f'{name} | after other prompts' for name in names)} |",
               [[row[first], *(percent(hits[model][index][column], 1) for model in names
                               for column in ("after its own prompt", "after other prompts"))]
                for index, row in enumerate(hits[MODEL])])  # fmt: skip
    known = {model: {row["prompt"]: row for row in report.rows("bigrams/findings", "known")} for model, report in reports.items()}

    def place(row):
        if not row["its place"]:
            return "not among 20"
        share = float(row["probability"])
        return f"{whole(row['its place'])} ({percent(share, 1 if share < 0.01 else 0)})"

    page.table(f"| prompt | {' | '.join(names)} |",
               [[f"{prompt} → {row['companion']}", *(place(known[model][prompt]) for model in names)]
                for prompt, row in known[MODEL].items() if row["companion"]])  # fmt: skip
    pairs = reports[MODEL].sections["bigrams"]["measures"][0]["count"]
    page.sentence(r"[\d,]+(?= pairs of words that begin)", thousands(pairs))
    page.notes += [f"{model}: {known[model][prompt]['prompt']}: {known[model][prompt]['next tokens']}"
                   for prompt in ("very", "traffic", "good") for model in names]  # fmt: skip
    page.notes += [f"{model}: {report.sections['bigrams']['verdict']}; {report.sections['bigrams']['finding']}" for model, report in reports.items()]


# MARK: the decoder's neurons


def spoken_tokens(report):
    """recording -> its tokens in order, each with its position."""
    found = collections.defaultdict(list)
    for row in report.rows("decoder-neurons/scan", "sounds"):
        if row["kind"] == "token":
            found[row["recording"]].append((float(row["start"]), row["label"]))
    return {recording: sorted(tokens) for recording, tokens in found.items()}


def decoder_neurons(report, page):
    notes = report.sections["decoder-neurons"]["notes"]
    page.sentence(rf"\*\*{re.escape(MODEL)}: [^*]*\*\* .*? be [\d.]+\s%\.( \d+ of 1536 neurons do not count[^.]*\.)?",
                  " ".join([report.verdict("decoder-neurons"), *(note for note in notes if "do not count" in note)]))  # fmt: skip
    tokens = spoken_tokens(report)
    best = collections.defaultdict(list)
    for row in sorted(report.rows("decoder-neurons/scan", "examples"), key=lambda row: whole(row["rank"])):
        listed = tokens.get(row["recording"], [])
        place = next((index for index, (position, _) in enumerate(listed) if position == float(row["frame"])), None)
        if row["side"] != "+" or place is None or listed[place][1].startswith("<|"):
            continue
        text = [token for _, token in listed]
        if text not in [other for other, _ in best[whole(row["feature"])]]:
            best[whole(row["feature"])].append((text, place))
    rows, seen = [], set()
    for feature in sorted(best):
        five = best[feature][:5]
        said = {text[place].lower() for text, place in five}
        if len(five) < 5 or len(said) > 1 or said & seen or not next(iter(said)).strip().isalpha():
            continue
        seen |= said
        rows.append([str(feature), next(iter(said)).strip(), " · ".join(excerpt(*one) for one in five[:3])])
    page.table("| neuron | token | transcripts, the token at the maximum marked |", rows[:15])
    page.notes += [report.sections["decoder-neurons"]["finding"], *report.sections["decoder-neurons"]["notes"],
                   f"{len(rows)} different tokens are at all five"]  # fmt: skip


def excerpt(text, place, around=4):
    """The token in bold, with a few on either side."""
    said = [token for token in text if not token.startswith("<|")]
    place -= len(text[:place]) - len([token for token in text[:place] if not token.startswith("<|")])
    before, token, after = "".join(said[max(place - around, 0) : place]), said[place], "".join(said[place + 1 : place + 1 + around])
    space = " " if token.startswith(" ") else ""
    head = "… " if place > around else ""
    tail = " …" if place + 1 + around < len(said) else ""
    return f"{head}{before.strip()}{space if before.strip() else ''}**{token.strip()}**{after.rstrip()}{tail}".strip().replace("|", "\\|")


# MARK: the pages

#: page -> (section, what writes it)
CLAIMS = {"docs/neurons.md": ("neurons", neurons), "docs/ranges.md": ("ranges", ranges), "docs/attention.md": ("attention", attention),
          "docs/words.md": ("words", words), "docs/decoder-neurons.md": ("decoder-neurons", decoder_neurons)}  # fmt: skip
#: picture -> what the report calls it
PICTURES = {"neurons": "neurons/findings/labels.png", "ranges": "ranges/findings/neuron-3.png", "bigrams": "bigrams/findings/hits.png",
            "decoder-neurons": "decoder-neurons/findings/tokens.png", "words": "words/findings/shares.png",
            "windows": "attention/findings/errors.png", "heads": "attention/heads/encoder-local.png"}  # fmt: skip


def overview(report, pages):
    """The same figures where other pages name them."""
    first, every = (measure for measure in report.sections["neurons"]["measures"])
    own, all_of = (round(measure["value"] * measure["count"]) for measure in (first, every))
    pages["docs/README.md"].sentence(r"\d+ of the first 50, [\d,]+ of all 1,536", f"{own} of the first 50, {thousands(all_of)} of all 1,536")
    pages["README.md"].sentence(r"\d+ say one phoneme on speakers that did not name it, of all 1,536, \d+",
                                f"{own} say one phoneme on speakers that did not name it, of all 1,536, {all_of}")  # fmt: skip
    page, said = pages["docs/README.md"], lambda section: report.sections[section]["verdict"].replace("_", " ")
    values = {section: {measure["id"]: measure for measure in report.sections[section]["measures"]} for section in report.sections}
    judged = values["ranges"]["polysemantic"]
    page.sentence(r"(?<=\(ranges\.md\) \| )[^|]*(?= \|)", f"{said('ranges')}: {round(judged['value'] * judged['count'])} of {judged['count']}")
    page.sentence(r"(?<=\(decoder-neurons\.md\) \| )[^|]*(?= \|)",
                  f"{said('decoder-neurons')}: {percent(values['decoder-neurons']['tokens']['value'])}, by chance 0.4 %")  # fmt: skip
    page.sentence(r"(?<=\(words\.md\) \| )[^|]*(?= \|)", f"{said('words')}: {percent(values['words']['gone']['value'])} of the words in a cut are gone, "
                  f"{percent(values['words']['stay']['value'])} of the others stay")  # fmt: skip
    kept = {whole(row["window"]): percent(row["words that stay"]) for row in report.rows("attention/findings", "windows")}
    heads = values["attention"]["local-heads"]
    page.sentence(r"(?<=\(attention\.md\) \| )[^|]*(?= \|)",
                  f"{said('attention')}: {round(heads['value'] * heads['count'])} of {heads['count']} heads; ±1.5 s keep {kept[75]} of the words, "
                  f"±0.2 s {kept[10]}")  # fmt: skip
    page = pages["docs/how-to/features.md"]
    for row in report.rows("scan/scan", "neurons"):
        cells = [number(row[name], 4) if row[name] else "–" for name in ("precision", "ap", "auc")]
        line = f"{row['hook']}  {whole(row['neuron']):<6}  {row['label']:<5}  {cells[0]:>9}  {cells[1]:>6}  {cells[2]:>6}  {row['examples'].strip()}"
        page.text = re.sub(rf"(?m)^{re.escape(row['hook'])}  {whole(row['neuron'])} .*$", lambda _, line=line: line, page.text)
    for section in ("neurons", "ranges", "words", "bigrams"):
        found = report.sections[section]
        page.sentence(rf"(?m)^{section} +(?:holds|does|cannot)[^\n]*", f"{section:<15}  {found['verdict'].replace('_', ' '):<13}  {found['finding']}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("report", help="what `auscult reproduce --model tiny.en` wrote")
    parser.add_argument("--base", help="the same of base, with the section bigrams")
    parser.add_argument("--check", action="store_true", help="change nothing, and fail where something would change")
    options = parser.parse_args()
    report = Report(options.report)
    pages = {name: Page(name) for name in ("README.md", "docs/README.md", "docs/how-to/features.md", "docs/bigrams.md", *CLAIMS)}
    for name, (section, write) in CLAIMS.items():
        if section in report.sections:
            write(report, pages[name])
    if options.base and "bigrams" in report.sections:
        bigrams({MODEL: report, "base": Report(options.base)}, pages["docs/bigrams.md"])
    if set(report.sections) >= {"neurons", "ranges", "words", "bigrams"}:
        overview(report, pages)
    changed = [name for name, page in pages.items() if page.save(options.check)]
    for name, path in PICTURES.items():
        source, target = report.folder / path, DOCS / "pictures" / f"{name}-{MODEL}.png"
        if source.exists() and source.read_bytes() != target.read_bytes():
            changed.append(str(target.relative_to(ROOT)))
            if not options.check:
                target.write_bytes(source.read_bytes())
    for name, page in pages.items():
        for note in page.notes:
            print(f"{name}: {note}")
    print("\n".join(["", *(f"{'would change' if options.check else 'written'}: {name}" for name in changed)]))
    sys.exit(1 if options.check and changed else 0)


if __name__ == "__main__":
    main()
