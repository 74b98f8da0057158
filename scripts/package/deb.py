#!/usr/bin/env python3
"""Makes a Debian package of what scripts/package/stage.py lays out below /usr.

    scripts/package/deb.py BUILD FOLDER         writes FOLDER/auscult_VERSION_ARCHITECTURE.deb

It depends on the packages of this system whose libraries its binaries are linked with. Needs dpkg-deb, patchelf, strip.
"""
import argparse
import gzip
import pathlib
import re
import subprocess
import tempfile

import stage


def version():
    text = (stage.ROOT / "clients/python/pyproject.toml").read_text()
    return re.search(r'^version = "(.*)"$', text, re.MULTILINE).group(1)


def packages(binaries):
    """The packages that own the libraries of binaries, by the names that those ask for themselves."""
    asked = set()
    for binary in binaries:
        names = set(re.findall(r"\(NEEDED\).*\[(.*)\]", stage.output("readelf", "--dynamic", "--wide", binary)))
        asked |= {path for name, path in stage.libraries(binary).items() if name in names}
    return sorted(set(stage.owners(asked).values()) | {"libc6"})


def manual(program, folder):
    """A page of the manual from the program's own help."""
    text = stage.output(program, "--help").replace("\\", "\\\\").replace("\n.", "\n\\&.").replace("-", "\\-")
    name = program.name
    page = f'.TH {name.upper()} 1\n.SH NAME\n{name} \\- a stethoscope for speech models\n.SH DESCRIPTION\n.nf\n{text}.fi\n'
    folder.mkdir(parents=True, exist_ok=True)
    with gzip.GzipFile(folder / f"{name}.1.gz", "wb", mtime=0) as file:
        file.write(page.encode())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        root = pathlib.Path(work) / "root"
        prefix = root / "usr"
        stage.stage(given.build, prefix, "runtime", units="/usr")
        for name in ("auscult", "auscultd"):
            manual(prefix / "bin" / name, prefix / "share/man/man1")
        document = prefix / "share/doc/auscult"
        (document / "LICENSE").rename(document / "copyright")
        binaries = [prefix / folder / name for name, folder in stage.PROGRAMS.items()]
        binaries += (prefix / "lib/auscult/plugins").glob("*/plugin.so")
        binaries += (prefix / "lib/auscult/lib").glob("*")
        size = sum(path.stat().st_size for path in root.rglob("*") if path.is_file()) // 1024
        architecture = stage.output("dpkg", "--print-architecture").strip()
        control = root / "DEBIAN/control"
        control.parent.mkdir()
        control.write_text(
            f"Package: auscult\nVersion: {version()}\nArchitecture: {architecture}\nMaintainer: The Auscult authors <auscult@localhost>\n"
            f"Section: sound\nPriority: optional\nInstalled-Size: {size}\nDepends: {', '.join(packages(binaries))}\n"
            "Recommends: ffmpeg, fonts-dejavu-core\nDescription: stethoscope for speech models\n"
            " A daemon that keeps a Whisper in memory, runs it as openai/whisper does, and lets people\n"
            " see and change every activation inside it.\n")
        root.chmod(0o755)
        given.folder.mkdir(parents=True, exist_ok=True)
        package = given.folder / f"auscult_{version()}_{architecture}.deb"
        # Whole, or not at all.
        pending = package.with_suffix(".new")
        subprocess.run(["dpkg-deb", "--root-owner-group", "--build", root, pending], check=True, stdout=subprocess.DEVNULL)
        pending.replace(package)
    print(f"{package}: {package.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
