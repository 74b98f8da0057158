"""python -m auscult.alignment: the command `auscult align`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from ..client import Client, connect
from ..errors import AuscultError, NotFound
from ..recordings import ListedRecording
from . import _table
from ._files import Grids, manifest_row, write_whole
from .aligner import Aligner, Alignment
from .scoring import Score, score

# Of `auscult`: BSD's sysexits, by gRPC's codes and the finer reasons.
_STATUS = {
    "NOT_FOUND": 66, "INVALID_ARGUMENT": 64, "OUT_OF_RANGE": 64, "DATA_LOSS": 65, "UNAVAILABLE": 69, "UNIMPLEMENTED": 69,
    "PERMISSION_DENIED": 69, "UNAUTHENTICATED": 69, "DEADLINE_EXCEEDED": 75, "RESOURCE_EXHAUSTED": 75, "ABORTED": 75,
    "ALREADY_EXISTS": 73, "FAILED_PRECONDITION": 75, "CANCELLED": 130,
}  # fmt: skip
_REASON_STATUS = {"not_installed": 69, "not_aligned": 65, "unsupported": 65, "data_loss": 65, "cannot_create": 73}


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="auscult align", description="The times of words and phonemes, as TextGrids and a manifest."
    )
    made.add_argument("inputs", nargs="+", metavar="FILE", help="recordings, folders, manifests; demo: with --score")
    made.add_argument("--out", type=Path, metavar="FOLDER", help="the TextGrids' folder; beside the recordings without it")
    made.add_argument("--manifest", type=Path, metavar="FILE", help="the manifest; FOLDER/manifest.jsonl, or aligned.jsonl")
    made.add_argument("--text", help="the text of the one recording that is named")
    made.add_argument("--transcribe", action="store_true", help="use the model's transcript, even where a text is known")
    made.add_argument("--language", default="", help="the code of the language, where none is known")
    made.add_argument("--method", choices=["auto", "forced", "coarse"], default="auto")
    made.add_argument("--overwrite", action="store_true", help="make TextGrids anew that are there already")
    made.add_argument("--score", action="store_true", help="compare with known alignments, and write nothing")
    made.add_argument("--by", default="alignment_kind", metavar="COLUMN", help="the groups of a score (alignment_kind)")
    made.add_argument("-m", "--model", default="")
    made.add_argument("--vocab", default="")
    made.add_argument("--precision", default="exact")
    made.add_argument("-f", "--format", choices=["text", "json"], default="text")
    made.add_argument("-q", "--quiet", action="store_true")
    made.add_argument("--socket")
    made.add_argument("--no-start", action="store_true")
    return made


class _Command:
    """One call of it."""

    def __init__(self, options: argparse.Namespace, client: Client) -> None:
        self._options, self._client = options, client
        self._aligner = Aligner(
            client, model=options.model, vocabulary=options.vocab, precision=options.precision, method=options.method
        )
        self.status = 0
        self._was_warned = False

    def run(self) -> None:
        recordings = self._recordings()
        if self._options.text is not None and len(recordings) != 1:
            raise SystemExit(_usage(f"--text is the text of one recording; {len(recordings)} are named"))
        self._score(recordings) if self._options.score else self._write(recordings)

    def _recordings(self) -> list[ListedRecording]:
        with self._client.recordings(self._options.inputs, alignments=self._options.score) as listed:
            found = list(listed)
        for notice in listed.notices:
            self._say(f"{notice.file}: {notice.text}")
        for skipped in listed.skipped:
            self._fail(f"{skipped.file}: {skipped.reason}", 65)
        return found

    def _aligned(self, recording: ListedRecording) -> Alignment:
        text = self._options.text if self._options.text is not None else recording.labels.get("text")
        text = None if self._options.transcribe else text
        language = recording.labels.get("language") or self._options.language
        if text is None:
            self._warn_of_embedded(recording)
        return self._aligner.align(
            recording.path or recording.name, text=text, language=language, span=recording.span,
            name=recording.name,
        )  # fmt: skip

    # What is written.

    def _write(self, recordings: list[ListedRecording]) -> None:
        options = self._options
        grids = Grids(options.out)
        manifest = options.manifest or (options.out / "manifest.jsonl" if options.out else Path("aligned.jsonl"))
        places = [(recording, grids.place(recording)) for recording in recordings]
        self._refuse_own(manifest)
        rows: list[str] = []
        counts = {"forced": 0, "guessed": 0, "coarse": 0}
        for number, (recording, grid) in enumerate(places, 1):
            found = None
            if options.overwrite or not grid.exists():
                try:
                    found = self._aligned(recording)
                except AuscultError as error:
                    self._failed(recording, error)
                    continue
                write_whole(grid, found.textgrid())
                for word in found.words:
                    counts[word.quality] += 1
                self._say(f"[{number}/{len(places)}] {recording.name}: {_summary(found)}")
            else:
                self._say(f"[{number}/{len(places)}] {recording.name}: {grid} is there; --overwrite makes it anew")
            if recording.path is not None and not recording.path.startswith("demo:"):
                rows.append(manifest_row(recording, grid, manifest, found, recording.labels))
        if not rows and not any(grid.exists() for _, grid in places):
            return
        if rows:
            write_whole(manifest, "".join(row + "\n" for row in rows))
        self._print_end(manifest if rows else None, len(places), counts)

    def _refuse_own(self, manifest: Path) -> None:
        """An input is not written over by what is made of it."""
        for one in self._options.inputs:
            if os.path.exists(one) and manifest.exists() and os.path.samefile(one, manifest):
                raise SystemExit(_usage(f"the manifest {manifest} is an input; name another with --manifest"))

    def _print_end(self, manifest: Path | None, recordings: int, counts: dict[str, int]) -> None:
        if self._options.format == "json":
            where = None if manifest is None else str(manifest)
            print(json.dumps({"manifest": where, "recordings": recordings, "words": counts}, ensure_ascii=False))
            return
        words = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
        print(f"{recordings} recordings; words: {words or 'none aligned'}")
        if manifest is not None:
            print(manifest)

    # What is measured.

    def _score(self, recordings: list[ListedRecording]) -> None:
        known = [one for one in recordings if one.words or one.phonemes]
        if not known:
            raise NotFound("none of the recordings has an alignment to compare with", "not_found")
        scores: dict[str, Score] = {}
        for number, recording in enumerate(known, 1):
            try:
                found = self._aligned(self._with_text(recording))
            except AuscultError as error:
                self._failed(recording, error)
                continue
            self._say(f"[{number}/{len(known)}] {recording.name}: {_summary(found)}")
            group = recording.labels.get(self._options.by, "all")
            scores.setdefault(group, Score()).add(score(found, recording.words, recording.phonemes))
        if len(scores) > 1:
            whole = Score()
            for one in scores.values():
                whole.add(one)
            scores["together"] = whole
        print(_table.json_text(scores) if self._options.format == "json" else _table.text(scores))

    def _with_text(self, recording: ListedRecording) -> ListedRecording:
        """What was said is known by its words where it has no text."""
        if recording.labels.get("text") or not recording.words:
            return recording
        text = " ".join(one.label for one in recording.words)
        return ListedRecording(
            recording.number, recording.name, recording.path, recording.span, {**recording.labels, "text": text},
            recording.phonemes, recording.words,
        )  # fmt: skip

    # What is said beside it.

    def _failed(self, recording: ListedRecording, error: AuscultError) -> None:
        # What concerns all of them ends it.
        if error.reason == "not_installed" or error.code in ("UNAVAILABLE", "CANCELLED"):
            raise error
        named = "" if error.message.startswith(recording.name) else f"{recording.name}: "
        self._fail(f"{named}{error.message}", _status(error))

    def _fail(self, text: str, status: int) -> None:
        print(f"auscult: error: {text}", file=sys.stderr)
        self.status = self.status or status

    def _warn_of_embedded(self, recording: ListedRecording) -> None:
        """Says once that the embedded model cannot write down what people say."""
        is_clip = (recording.path or "").startswith("demo:")
        if not self._was_warned and not self._options.model and not is_clip:
            self._was_warned = True
            self._say("the embedded model writes the transcripts, and it knows only a thousand words of synthetic voices: name a "
                      "released one, --model tiny.en")  # fmt: skip

    def _say(self, text: str) -> None:
        if not self._options.quiet:
            print(text, file=sys.stderr)


def _summary(found: Alignment) -> str:
    if not found.words:
        return "no words"
    counts = [(found.count(one), one) for one in ("forced", "guessed", "coarse")]
    return f"{len(found.words)} words, " + ", ".join(f"{count} {one}" for count, one in counts if count)


def _status(error: AuscultError) -> int:
    return _REASON_STATUS.get(error.reason) or _STATUS.get(error.code, 1)


def _usage(text: str) -> int:
    print(f"auscult: error: {text}", file=sys.stderr)
    return 64


def main(arguments: list[str] | None = None) -> int:
    made = parser()
    try:
        options = made.parse_args(arguments)
    except SystemExit as end:
        # argparse's own status for a usage that is wrong is 2.
        return 64 if end.code else 0
    try:
        with connect(options.socket, start=not options.no_start) as client:
            command = _Command(options, client)
            command.run()
            return command.status
    except SystemExit as end:
        return int(end.code or 0)
    except AuscultError as error:
        print(f"auscult: error: {error.message}", file=sys.stderr)
        return _status(error)
    except OSError as error:
        print(f"auscult: error: cannot write: {error}", file=sys.stderr)
        return 73
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
