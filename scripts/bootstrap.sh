#!/usr/bin/env bash
# Makes sure that what the build needs is there; installs system libraries with apt where that is possible.
#
#   scripts/bootstrap.sh            toolchain, libraries, and a bare Python for the demo's picture
#   scripts/bootstrap.sh protos     also protobuf's compilers, for `make protos`
#   scripts/bootstrap.sh venv       also what `make parity` makes its virtual environment with
#   scripts/bootstrap.sh integration
#                                   also what `make integration` runs: Go's ttRPC, Neovim, Vamp, Chromium
#   scripts/bootstrap.sh wheel      also what `make wheel` compresses it with, and `make wheel-test` makes a Debian of its own with
#
# Takes milliseconds and touches nothing where everything is in place.
set -euo pipefail

if ! command -v "${SWIFT:-swift}" >/dev/null; then
    echo "Missing: the Swift toolchain, 6.2 or later. Install it from https://www.swift.org/install," \
        "put its usr/bin on PATH, and run make again." >&2
    exit 1
fi

# What pkg-config calls a library, and the Debian package that brings it.
libraries=(
    openblas:libopenblas-dev
    sndfile:libsndfile1-dev
    soxr:libsoxr-dev
    portaudio-2.0:portaudio19-dev
    libcrypto:libssl-dev
    libprotobuf-c:libprotobuf-c-dev
    zlib:zlib1g-dev
    libseccomp:libseccomp-dev
    cairo:libcairo2-dev
    pangocairo:libpango1.0-dev
)

missing=()
command -v pkg-config >/dev/null || missing+=(pkg-config)
command -v python3 >/dev/null || missing+=(python3)
for entry in "${libraries[@]}"; do
    pkg-config --exists "${entry%%:*}" 2>/dev/null || missing+=("${entry#*:}")
done
if [[ ${1:-} == protos ]]; then
    command -v protoc >/dev/null || missing+=(protobuf-compiler)
    command -v protoc-c >/dev/null || missing+=(protobuf-c-compiler)
fi
if [[ ${1:-} == venv ]]; then
    python3 -c 'import venv, ensurepip' 2>/dev/null || missing+=(python3-venv)
fi
if [[ ${1:-} == integration ]]; then
    command -v go >/dev/null || missing+=(golang-go)
    [[ -d /usr/share/gocode/src/github.com/containerd/ttrpc ]] || missing+=(golang-github-containerd-ttrpc-dev)
    command -v nvim >/dev/null || missing+=(neovim)
    pkg-config --exists vamp 2>/dev/null || missing+=(vamp-plugin-sdk)
    command -v vamp-simple-host >/dev/null || missing+=(vamp-examples)
    command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null ||
        missing+=(chromium)
fi
if [[ ${1:-} == wheel ]]; then
    command -v debootstrap >/dev/null || missing+=(debootstrap)
    command -v bwrap >/dev/null || missing+=(bubblewrap)
    command -v advzip >/dev/null || missing+=(advancecomp)
fi

if ((${#missing[@]})); then
    install=(apt-get install --yes --no-install-recommends "${missing[@]}")
    if ! command -v apt-get >/dev/null; then
        echo "Missing: ${missing[*]} (Debian's names), and this machine has no apt to install them with." >&2
        echo "Install the libraries with your own package manager, so that pkg-config finds" \
            "${libraries[*]%%:*}; then run make again." >&2
        exit 1
    fi
    root=()
    if ((EUID != 0)); then
        if ! command -v sudo >/dev/null; then
            echo "Missing: ${missing[*]}. As root, run: ${install[*]}" >&2
            exit 1
        fi
        root=(sudo)
    fi
    echo "Installing ${missing[*]}"
    "${root[@]}" apt-get update --quiet=2
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive "${install[@]}" --quiet=2
fi
