#!/usr/bin/env python3
"""Looks whether each test that Tests/FAULTS.md names is there, by its name, and that no row lacks one."""
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parent.parent
names = set()
for file in (root / "Tests").rglob("*.swift"):
    text = file.read_text()
    names |= {re.sub(r'\\(["\\])', r"\1", name) for name in re.findall(r'@Test\(\s*"((?:[^"\\]|\\.)*)"', text)}
for file in list((root / "Tests").rglob("*.py")) + list((root / "clients").rglob("test_*.py")):
    names |= set(re.findall(r"^\s*(?:async )?def (test_\w+)", file.read_text(), re.M))
# Runs by hand are scripts.
names |= {str(file.relative_to(root)) for file in (root / "Tests").rglob("*.sh")}

rows, problems = 0, []
for number, line in enumerate((root / "Tests/FAULTS.md").read_text().splitlines(), 1):
    cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
    if len(cells) != 3 or cells[0] == "attack" or set(cells[0]) <= {"-"}:
        if line.startswith("|") and len(cells) != 3:
            problems.append(f"Tests/FAULTS.md:{number}: a row of {len(cells)} cells; 3 were expected")
        continue
    rows += 1
    if cells[2].strip("`") not in names:
        problems.append(f"Tests/FAULTS.md:{number}: no test is called “{cells[2]}”")
if rows < 30:
    problems.append(f"Tests/FAULTS.md has {rows} rows; at least 30 were expected")
for problem in problems:
    print(problem, file=sys.stderr)
sys.exit(1 if problems else 0)
