#!/usr/bin/env python3
"""Fails where ARCHITECTURE.md's table "Where to change what" names a file or a folder that is not there, or a row names none.

    scripts/check-places.py

Python 3.9 or later, no packages.
"""

import re
import sys
from pathlib import Path

root = Path(__file__).resolve().parent.parent
text = (root / "ARCHITECTURE.md").read_text()
table = re.search(r"^## Where to change what\n(.*?)^## ", text, re.S | re.M)
if table is None:
    sys.exit("ARCHITECTURE.md has no section 'Where to change what'")
lines = [line.split("|")[1:3] for line in table.group(1).splitlines() if line.startswith("| ")][1:]
# A row without a place is a heading.
rows = {task.strip(): re.findall(r"`([^`]+)`", row) for task, row in lines if not task.strip().startswith("**")}
places = [place for row in rows.values() for place in row if "/" in place or place == "plugins"]
empty = [task for task, row in rows.items() if not any("/" in place or place == "plugins" for place in row)]
for task in empty:
    print(f"ARCHITECTURE.md, where to change what: '{task}' names no file and no folder")
missing = [place for place in places if not (root / place).exists()]
for place in missing:
    print(f"ARCHITECTURE.md, where to change what: there is no {place}")
if missing or empty or not places:
    sys.exit(1)
print(f"places: all {len(places)} of {len(rows)} tasks are there")
