#!/usr/bin/env python3
"""Write Sources/CTemplates/templates.c: the table of the files that `auscult plugins new` writes.

Every file of plugins/template-c and plugins/template-swift is embedded with C23's #embed, symbolic links followed: so
the header and PluginKit's sources lie in what is written. Run this after adding or removing one (a changed file needs
no new table); Python 3.9 or later, no packages.

    python3 scripts/templates.py            write the table
    python3 scripts/templates.py --check    fail where the table is out of date
"""
import os
import pathlib
import sys

import embedding

ROOT = pathlib.Path(__file__).resolve().parent.parent
LANGUAGES = ("c", "swift")
BUILT = {"build", "Package.resolved"}


def template_files(language):
    """Pairs of a path in the written folder and the file that it comes from."""
    top = ROOT / "plugins" / f"template-{language}"
    yield f"{language}/auscult/LICENSE", ROOT / "LICENSE"
    for folder, folders, files in os.walk(top, followlinks=True):
        folders[:] = [name for name in folders if name not in BUILT and not name.startswith(".")]
        for name in files:
            if name in BUILT or name.startswith("."):
                continue
            file = pathlib.Path(folder, name)
            if file.stat().st_size == 0:
                sys.exit(f"{file} is empty; an embedded file has at least one byte")
            yield f"{language}/{file.relative_to(top).as_posix()}", file.resolve()


def files():
    """The header and the licence are in both folders, and once in the binary."""
    found = sorted(pair for language in LANGUAGES for pair in template_files(language))
    return [(name, f"../../{source.relative_to(ROOT).as_posix()}") for name, source in found]


if __name__ == "__main__":
    generator = "scripts/templates.py"
    text = embedding.table(generator, "the files of plugins/template-*", "CTemplates", "template", files())
    embedding.main(generator, ROOT / "Sources" / "CTemplates" / "templates.c", text)
