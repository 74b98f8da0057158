#!/usr/bin/env python3
"""Makes a wheel with everything inside: the Python client, and below auscult/_prefix what scripts/package/stage.py lays out.

    scripts/package/wheel.py BUILD FOLDER       writes FOLDER/auscult-…-py3-none-manylinux_2_36_x86_64.whl

`auscult` and `auscultd` become commands; `auscult.connect()` starts the daemon that lies beside it. The tag is checked: no binary may
need a newer glibc than it says. Needs pip, wheel, patchelf, strip, readelf and advzip.
"""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import stage

TAG = "py3-none-manylinux_2_36_x86_64"
GLIBC = (2, 36)
# What a wheel may weigh.
LARGEST = 90_000_000


def check(prefix):
    """Fails where the tag promises too much, or a binary looks for libraries outside."""
    for path in sorted(prefix.rglob("*")):
        if not path.is_file() or path.open("rb").read(4) != b"\x7fELF":
            continue
        if (newest := stage.newest_glibc(path)) > GLIBC:
            sys.exit(f"{path} needs glibc {newest[0]}.{newest[1]}; {TAG} promises {GLIBC[0]}.{GLIBC[1]}")
        dynamic = stage.output("readelf", "--dynamic", "--wide", path)
        for places in re.findall(r"(?:RUNPATH|RPATH)\).*\[(.*)\]", dynamic):
            if any(not place.startswith("$ORIGIN") for place in places.split(":")):
                sys.exit(f"{path} looks for libraries in {places}")


def smallest(packed, wheel):
    """The wheel, its files compressed as far as deflate goes, by AdvanceCOMP; whole or not at all."""
    pending = wheel.with_suffix(".new")
    shutil.copyfile(packed, pending)
    subprocess.run(["advzip", "--recompress", "--shrink-normal", "--quiet", pending], check=True)
    return pending.replace(wheel)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", work, stage.ROOT / "clients/python"]
        subprocess.run(pip, check=True)
        (pure,) = work.glob("*.whl")
        subprocess.run([sys.executable, "-m", "wheel", "unpack", "--dest", work / "tree", pure], check=True, stdout=subprocess.DEVNULL)
        (tree,) = (work / "tree").iterdir()
        prefix = tree / "auscult/_prefix"
        needed = stage.stage(given.build, prefix, "all")
        check(prefix)
        (information,) = tree.glob("*.dist-info")
        (information / "entry_points.txt").write_text(
            "[console_scripts]\nauscult = auscult._programs:auscult\nauscultd = auscult._programs:auscultd\n")
        lines = (information / "WHEEL").read_text().splitlines()
        lines = [line for line in lines if line and not line.startswith(("Tag:", "Root-Is-Purelib:"))]
        (information / "WHEEL").write_text("\n".join([*lines, "Root-Is-Purelib: false", f"Tag: {TAG}"]) + "\n")
        subprocess.run([sys.executable, "-m", "wheel", "pack", "--dest-dir", work, tree], check=True, stdout=subprocess.DEVNULL)
        (packed,) = work.glob(f"*-{TAG}.whl")
        given.folder.mkdir(parents=True, exist_ok=True)
        wheel = smallest(packed, given.folder / packed.name)
    size = wheel.stat().st_size
    print(f"{wheel}: {size / 1e6:.1f} MB, {len(needed)} libraries")
    if size > LARGEST:
        sys.exit(f"it may weigh {LARGEST / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
