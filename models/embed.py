#!/usr/bin/env python3
"""Write Sources/CEmbedded/embedded.c: the table of the files that lie in the binary.

Every file of models/default and models/demo is embedded with C23's #embed. Run this after
adding or removing one (a changed file needs no new table); Python 3.9 or later, no packages.

    python3 models/embed.py            write the table
    python3 models/embed.py --check    fail where the table is out of date
"""
import pathlib
import sys

MODELS = pathlib.Path(__file__).resolve().parent
ROOT = MODELS.parent
FOLDERS = ("default", "demo")
sys.path.insert(0, str(ROOT / "scripts"))

import embedding  # noqa: E402


def embedded_files():
    """Paths below models/ with forward slashes, sorted by bytes."""
    paths = []
    for folder in FOLDERS:
        for file in (MODELS / folder).rglob("*"):
            path = file.relative_to(MODELS)
            if file.is_file() and not any(part.startswith((".", "__")) for part in path.parts):
                if file.stat().st_size == 0:
                    sys.exit(f"{path} is empty; an embedded file has at least one byte")
                paths.append(path.as_posix())
    return sorted(paths, key=str.encode)


if __name__ == "__main__":
    generator = "models/embed.py"
    files = [(path, f"../../models/{path}") for path in embedded_files()]
    text = embedding.table(
        generator, "the files of models/default and models/demo", "CEmbedded", "embedded", files, "_Alignas(64) ")
    embedding.main(generator, ROOT / "Sources" / "CEmbedded" / "embedded.c", text)
