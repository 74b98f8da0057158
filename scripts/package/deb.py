#!/usr/bin/env python3
"""Makes a Debian package of what scripts/package/stage.py lays out below /usr.

    scripts/package/deb.py BUILD FOLDER         writes FOLDER/auscult_VERSION_ARCHITECTURE.deb

It depends on the packages of this system whose libraries its binaries are linked with. Needs dpkg-deb, patchelf, strip, readelf; dpkg-shlibdeps for the versions.
"""
import argparse
import email.utils
import gzip
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import stage

# A package has to name somebody. No mail arrives there: the repository's issues are read.
MAINTAINER = "The Auscult authors <auscult@localhost>"


def version():
    text = (stage.ROOT / "clients/python/pyproject.toml").read_text()
    return re.search(r'^version = "(.*)"$', text, re.MULTILINE).group(1)


def dependencies(binaries, home):
    """What its libraries belong to, for Depends, with the versions that they need where dpkg-dev is here to say so."""
    if shutil.which("dpkg-shlibdeps"):
        with tempfile.TemporaryDirectory() as work:
            control = pathlib.Path(work) / "debian/control"
            control.parent.mkdir()
            control.write_text("Source: auscult\n\nPackage: auscult\nArchitecture: any\n")
            command = ["dpkg-shlibdeps", "-O", f"-l{home}", "--ignore-missing-info", *[f"-e{binary}" for binary in binaries]]
            answer = subprocess.run([str(word) for word in command], cwd=work, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            return answer.stdout.strip().partition("Depends=")[2]
    asked = set()
    for binary in binaries:
        names = set(re.findall(r"\(NEEDED\).*\[(.*)\]", stage.output("readelf", "--dynamic", "--wide", binary)))
        asked |= {path for name, path in stage.libraries(binary).items() if name in names}
    glibc = max(stage.newest_glibc(binary) for binary in binaries)
    return ", ".join(sorted(set(stage.owners(asked).values()) | {f"libc6 (>= {glibc[0]}.{glibc[1]})"}))


def copyright(document):
    """Debian's form of it (copyright-format 1.0). The licence itself is part of every Debian."""
    (document / "LICENSE").unlink()
    (document / "copyright").write_text(
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n"
        "Files: *\nCopyright: 2026 The Auscult authors\nLicense: Apache-2.0\n\n"
        "Files: usr/lib/auscult/lib/*\nCopyright: Apple Inc. and the Swift project authors\nLicense: Apache-2.0 with Runtime Library Exception\n"
        " The text is in /usr/share/doc/auscult/libraries/swift.txt.\n\n"
        "License: Apache-2.0\n On Debian systems the text is in /usr/share/common-licenses/Apache-2.0.\n")


def changelog(document):
    """Debian's form of it, with the time of the state that is packaged."""
    when = os.environ.get("SOURCE_DATE_EPOCH") or stage.output("git", "-C", stage.ROOT, "log", "-1", "--format=%ct").strip()
    text = (f"auscult ({version()}) unstable; urgency=medium\n\n  * CHANGELOG.md of the sources says what is new.\n\n"
            f" -- {MAINTAINER}  {email.utils.formatdate(int(when))}\n")
    with gzip.GzipFile(document / "changelog.gz", "wb", mtime=0) as file:
        file.write(text.encode())


def manual(program, folder):
    """A page of the manual from the program's own help."""
    text = stage.output(program, "--help").replace("\\", "\\\\").replace("\n.", "\n\\&.").replace("\n'", "\n\\&'").replace("-", "\\-")
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
        copyright(document)
        changelog(document)
        binaries = [prefix / folder / name for name, folder in stage.PROGRAMS.items()]
        binaries += (prefix / "lib/auscult/plugins").glob("*/plugin.so")
        binaries += (prefix / "lib/auscult/lib").glob("*")
        size = sum(path.stat().st_size for path in root.rglob("*") if path.is_file()) // 1024
        architecture = stage.output("dpkg", "--print-architecture").strip()
        control = root / "DEBIAN/control"
        control.parent.mkdir()
        control.write_text(
            f"Package: auscult\nVersion: {version()}\nArchitecture: {architecture}\nMaintainer: {MAINTAINER}\n"
            f"Section: sound\nPriority: optional\nInstalled-Size: {size}\nDepends: {dependencies(binaries, prefix / 'lib/auscult/lib')}\n"
            "Recommends: ffmpeg, fonts-dejavu-core\nDescription: stethoscope for speech models\n"
            " A daemon that keeps a Whisper in memory, runs it as openai/whisper\n"
            " does, and lets people see and change every activation inside it.\n")
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
