#!/usr/bin/env python3
"""Lays out what is installed: programs, plugin host, analyses, header, completions, units, licence; stripped and relocatable.

    scripts/package/stage.py BUILD PREFIX [--bundle all|runtime] [--units PREFIX]

BUILD is a folder of `swift build -c release` with the plugins in it (.build/release). Every program finds its libraries by a path
relative to itself, and none by a toolchain's:

--bundle all       every library but those of the C runtime (glibc) comes along in lib/: for wheels
--bundle runtime   only libraries that belong to no package of this system, Swift's, do: for packages and `make install`

Python 3.11 or later; needs patchelf, strip and readelf.
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = {"auscult": "bin", "auscultd": "bin", "auscult-plugin-host": "libexec/auscult", "auscult-capture": "libexec/auscult"}
# glibc's: their versions are what the wheel's tag promises, and they go with the kernel and the loader of each system.
SYSTEM = ("ld-linux", "libc.so", "libm.so", "libdl.so", "libpthread.so", "librt.so", "libresolv.so", "libutil.so", "linux-vdso",
          "libnsl.so", "libanl.so", "libmvec.so")


def output(*command):
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True).stdout


def libraries(binary):
    """Name -> path of everything that the loader finds for a binary."""
    found = {}
    for line in output("ldd", binary).splitlines():
        name, arrow, rest = line.strip().partition(" => ")
        if not arrow:
            continue
        path = rest.split(" (")[0].strip()
        if path == "not found":
            sys.exit(f"{binary} needs {name}, which is not here")
        found[name] = pathlib.Path(path)
    return {name: path for name, path in found.items() if not name.startswith(SYSTEM)}


def owners(paths):
    """Path -> the package of this system that it belongs to, of those that belong to one. Asked once, since dpkg reads all its lists."""
    names = {}
    for path in paths:
        real = str(path.resolve())
        # dpkg knows a file by the path that its package has, which may be on either side of the link from /lib to /usr/lib.
        for name in (real, str(path), real.removeprefix("/usr"), "/usr" + str(path)):
            names.setdefault(name, path)
    answer = subprocess.run(["dpkg-query", "-S", *names], capture_output=True, text=True).stdout if names else ""
    found = {}
    for line in answer.splitlines():
        package, _, name = line.partition(": ")
        if name in names and not line.startswith("diversion "):
            found[names[name]] = package.partition(":")[0]
    return found


def newest_glibc(binary):
    """The newest version of glibc that a binary asks for."""
    versions = re.findall(r"GLIBC_(\d+)\.(\d+)", output("readelf", "--version-info", "--wide", binary))
    return max(((int(a), int(b)) for a, b in versions), default=(0, 0))


def install(source, target, mode=0o755):
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target, follow_symlinks=True)
    target.chmod(mode)


def relocate(binary, home, needs_libraries):
    """Strips it, and lets it find libraries in `home` and nowhere else of its own."""
    subprocess.run(["strip", "--strip-unneeded", binary], check=True)
    if needs_libraries:
        path = "$ORIGIN/" + os.path.relpath(home, binary.parent)
        subprocess.run(["patchelf", "--set-rpath", path, binary], check=True)
    else:
        subprocess.run(["patchelf", "--remove-rpath", binary], check=True)


def licences(paths, folder):
    """The licences of the libraries that come along: those of their packages, and Swift's."""
    texts = {package: pathlib.Path(f"/usr/share/doc/{package}/copyright") for package in set(owners(paths).values())}
    if swift := next((path for path in paths if path.name.startswith("libswiftCore.")), None):
        # A toolchain has its licence in share/swift, its libraries in lib/swift/linux.
        texts["swift"] = swift.resolve().parents[3] / "share/swift/LICENSE.txt"
    for package, text in texts.items():
        if not text.exists():
            sys.exit(f"{text}, the licence of {package}, is not here")
        install(text, folder / f"{package}.txt", 0o644)


def stage(build, prefix, bundle, units=None):
    binaries = []
    for name, folder in PROGRAMS.items():
        install(build / name, prefix / folder / name)
        binaries.append((build / name, prefix / folder / name))
    subprocess.run([ROOT / "scripts/bundle-plugins.sh", build.resolve(), (prefix / "lib/auscult/plugins").absolute()], check=True)
    for plugin in sorted((prefix / "lib/auscult/plugins").glob("*/plugin.so")):
        binaries.append((plugin, plugin))
    # Asked of the originals, which still know where they were linked.
    needed = {}
    for original, _ in binaries:
        needed.update(libraries(original))
    if bundle == "runtime":
        theirs = owners(needed.values())
        needed = {name: path for name, path in needed.items() if path not in theirs}
    licences(needed.values(), prefix / "share/doc/auscult/libraries")
    home = prefix / "lib/auscult/lib"
    for name, path in sorted(needed.items()):
        install(path.resolve(), home / name, 0o644)
        relocate(home / name, home, True)
    for _, binary in binaries:
        relocate(binary, home, bool(needed))
    install(ROOT / "Sources/CAuscultPlugin/include/auscult_plugin.h", prefix / "include/auscult_plugin.h", 0o644)
    for name in ("LICENSE", "models/MODEL_CARD.md"):
        install(ROOT / name, prefix / "share/doc/auscult" / pathlib.Path(name).name, 0o644)
    subprocess.run([ROOT / "scripts/install-completions.sh", prefix / "bin/auscult", prefix], check=True)
    if units:
        subprocess.run([ROOT / "scripts/install-units.sh", units, str(prefix.absolute()).removesuffix(units)], check=True)
    return needed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("prefix", type=pathlib.Path)
    parser.add_argument("--bundle", choices=("all", "runtime"), default="runtime")
    parser.add_argument("--units", help="the prefix that systemd's units name; without it there are none")
    given = parser.parse_args()
    needed = stage(given.build, given.prefix, given.bundle, given.units)
    print(f"{given.prefix}: {len(needed)} libraries come along{': ' if needed else ''}{' '.join(sorted(needed))}")


if __name__ == "__main__":
    main()
