#!/usr/bin/env python3
"""Write Sources/CPages/pages.c: the table of the files that the pages are made of.

Every file of Sources/CPages/Pages is embedded with C23's #embed. Run this after adding or removing one (a changed file
needs no new table); Python 3.9 or later, no packages.

    python3 scripts/pages.py            write the table
    python3 scripts/pages.py --check    fail where the table is out of date
"""
import pathlib

import embedding

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / "Sources" / "CPages"


def files():
    pages = FOLDER / "Pages"
    names = sorted(path.relative_to(pages).as_posix() for path in pages.rglob("*") if path.is_file() and not path.name.startswith("."))
    return [(name, f"Pages/{name}") for name in names]


if __name__ == "__main__":
    generator = "scripts/pages.py"
    embedding.main(generator, FOLDER / "pages.c", embedding.table(generator, "the files of Pages", "CPages", "page", files()))
