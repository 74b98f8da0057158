#!/usr/bin/env python3
"""Fails where a module imports what it may not.

    swift package dump-package | scripts/check-imports.py     checks this repository
    scripts/check-imports.py --self-test                      plants wrong imports in a package of its own, and wants each found

Two things hold for every `import`, and for every `#include` of a header of this package:
  * Package.swift declares it as a dependency of the target. The compiler takes what lies in the build folder by chance.
  * The table "Walls" of ARCHITECTURE.md allows it. A declared dependency that nothing imports is an error as well.
Python 3.9 or later, no packages.
"""

import json
import os
import re
import sys
import tempfile
from fnmatch import fnmatchcase
from pathlib import Path

# What comes with Swift.
PLATFORM = {"Dispatch", "Foundation", "FoundationNetworking", "FoundationXML", "Glibc", "Synchronization", "Testing"}
IMPORT = re.compile(
    r"\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?import\s+"
    r"(?:(?:struct|class|enum|protocol|func|var|let|typealias)\s+)?(\w+)")
INCLUDE = re.compile(r'\s*#\s*include\s*["<]([^">]+)[">]')


def folder(target):
    return Path(target.get("path") or f"{'Tests' if target['type'] == 'test' else 'Sources'}/{target['name']}")


def declared(target):
    """The modules and products that a target depends on."""
    return {value[0] for dependency in target["dependencies"] for value in dependency.values()}


def headers(targets, root):
    """The module of each public header, by the name that an #include has for it."""
    found = {}
    for target in targets:
        public = root / folder(target) / "include"
        for header in public.rglob("*.h"):
            found[str(header.relative_to(public))] = target["name"]
    return found


def imports(target, root, owners):
    """(module, "file:line") of each import of a target's files."""
    left_out = {str(root / folder(target) / name) for name in target.get("exclude", [])}
    for parent, _, files in os.walk(root / folder(target), followlinks=True):
        if any(f"{parent}/".startswith(f"{name}/") for name in left_out):
            continue
        for name in sorted(files):
            place = Path(parent, name)
            pattern = IMPORT if name.endswith(".swift") else INCLUDE if name.endswith((".c", ".h")) else None
            if pattern is None:
                continue
            for number, line in enumerate(place.read_text().splitlines(), 1):
                match = pattern.match(line)
                module = match and (match[1] if pattern is IMPORT else owners.get(match[1]))
                if module and module != target["name"]:
                    yield module, f"{place.relative_to(root)}:{number}"


def names(cell):
    return re.findall(r"`([^`]+)`", cell)


class Walls:
    """The table below the heading "Walls": rooms, their modules, and what those may import.

    A name in the last column is a room or a single module; modules of one room may import each other. `Bigrams*` is every
    module that begins so, `*Tests` every one that ends so; the first row counts that a module is in.
    """

    def __init__(self, text):
        self.room, self.allowed, self.problems = {}, {}, []
        section = text.partition("\n## Walls\n")[2].partition("\n## ")[0]
        for line in section.splitlines():
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            if not line.startswith("|") or len(cells) != 3 or set(cells[0]) <= {"-"} or not names(cells[1]):
                continue
            for module in names(cells[1]):
                if module in self.room:
                    self.problems.append(f"ARCHITECTURE.md: {module} is in two rooms of the table \"Walls\"")
                self.room[module] = cells[0]
            self.allowed[cells[0]] = set(names(cells[2])) | {f"room {part.strip()}" for part in cells[2].split(",")}
        if not self.room:
            self.problems.append('ARCHITECTURE.md: no table below the heading "## Walls"')

    def room_of(self, module):
        for name, room in self.room.items():
            if fnmatchcase(module, name):
                return room
        return None

    def problem(self, module, imported):
        room = self.room_of(module)
        if room is None:
            return f'{module} is in no room of the table "Walls" of ARCHITECTURE.md'
        allowed, other = self.allowed[room], self.room_of(imported)
        if other == room or imported in allowed or f"room {other}" in allowed or "room everything" in allowed:
            return None
        return f'{module} (room "{room}") may not import {imported}: ARCHITECTURE.md, "Walls"'


def check(package, root):
    targets = [target for target in package["targets"] if target["type"] in ("regular", "executable", "test")]
    walls = Walls((root / "ARCHITECTURE.md").read_text())
    owners, problems = headers(package["targets"], root), list(walls.problems)
    for target in targets:
        name, dependencies, seen = target["name"], declared(target), set()
        for module, place in imports(target, root, owners):
            if module in PLATFORM:
                continue
            seen.add(module)
            if module not in dependencies:
                problems.append(f"{place}: {name} imports {module}, which Package.swift does not declare for it")
            if (problem := walls.problem(name, module)) is not None:
                problems.append(f"{place}: {problem}")
        # An entry in C is linked, and an executable is built, without an import.
        silent = {t["name"] for t in package["targets"] if t["type"] in ("executable", "system") or t["name"] == "CPluginEntry"}
        for module in sorted(dependencies - seen - silent):
            problems.append(f"Package.swift: {name} depends on {module}, and nothing in it imports that")
    return problems


def self_test():
    package = {"targets": [
        {"name": name, "type": kind, "dependencies": [{"byName": [other, None]} for other in others]}
        for name, kind, others in [
            ("Low", "regular", []), ("CLow", "regular", []), ("High", "regular", ["Low", "CLow"]),
            ("HighTests", "test", ["High"])]]}
    table = ("# A\n\n## Walls\n\n| room | modules | may import |\n|---|---|---|\n| low | `Low`, `CLow` | |\n"
             "| high | `High` | low |\n| tests | `HighTests` | everything |\n\n## More\n")
    sound = {
        "ARCHITECTURE.md": table, "Sources/Low/A.swift": "import Foundation\n", "Sources/CLow/include/low.h": "int low(void);\n",
        "Sources/CLow/low.c": '#include "low.h"\n', "Sources/High/A.swift": "import CLow\n@testable import Low\n",
        "Tests/HighTests/A.swift": "import High\nimport Testing\n"}
    cases = [
        ("a sound package", {}, []),
        ("an import that is not declared", {"Tests/HighTests/B.swift": "private import struct Low.Value\n"},
         ["Tests/HighTests/B.swift:1: HighTests imports Low, which Package.swift does not declare for it"]),
        ("an import across a wall", {"Sources/Low/B.swift": "\nimport High\n"},
         ["Sources/Low/B.swift:2: Low imports High, which Package.swift does not declare for it",
          'Sources/Low/B.swift:2: Low (room "low") may not import High: ARCHITECTURE.md, "Walls"']),
        ("an #include across a wall", {"Tests/HighTests/C.c": "#include <low.h>\n"},
         ["Tests/HighTests/C.c:1: HighTests imports CLow, which Package.swift does not declare for it"]),
        ("a dependency that nothing imports", {"Sources/High/A.swift": "import Low\n"},
         ["Package.swift: High depends on CLow, and nothing in it imports that"]),
        ("a module without a room", {"ARCHITECTURE.md": table.replace("`High`", "`Higher`")},
         [f'Sources/High/A.swift:{line}: High is in no room of the table "Walls" of ARCHITECTURE.md' for line in (1, 2)]),
        ("no table", {"ARCHITECTURE.md": "# A\n"}, None),
    ]
    for name, change, expected in cases:
        with tempfile.TemporaryDirectory() as root:
            for path, text in {**sound, **change}.items():
                place = Path(root, path)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(text)
            found = check(package, Path(root))
        if found != expected if expected is not None else not found:
            sys.exit(f"check-imports: {name}: expected {expected}, found {found}")
    print(f"check-imports: {len(cases)} packages with and without planted mistakes, each judged right")


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    if len(sys.argv) > 1:
        sys.exit(__doc__)
    problems = check(json.load(sys.stdin), Path(__file__).resolve().parent.parent)
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        sys.exit(f"check-imports: {len(problems)} imports or dependencies that should not be")
    print("imports: each is declared, and within the walls")


if __name__ == "__main__":
    main()
