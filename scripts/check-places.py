#!/usr/bin/env python3
"""Fails where ARCHITECTURE.md's table "Where to change what" names a file or a folder that is not there.

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
rows = [line.split("|")[2] for line in table.group(1).splitlines() if line.startswith("| ")][1:]
places = [place for row in rows for place in re.findall(r"`([^`]+)`", row) if "/" in place or place == "plugins"]
missing = [place for place in places if not (root / place).exists()]
for place in missing:
    print(f"ARCHITECTURE.md, where to change what: there is no {place}")
if missing or not places:
    sys.exit(1)
print(f"places: all {len(places)} are there")
