#!/usr/bin/env bash
# Tests/integration/wheel.sh WHEEL: installs the wheel on a Debian that has Python, a C compiler, and nothing of ours: no Swift, no
# library that it is linked with. Then a transcript, an analysis, an atlas, a C plugin, the Python client, a notebook; and what is left
# afterwards.
# The root is made by debootstrap once, and kept (WHEEL_ROOT, .build/wheel-root), as are the packages that the client depends on
# (WHEEL_DEPENDENCIES, .build/wheel-deps); needs root, or skips.
set -euo pipefail
wheel=$(readlink -f "$1")
cd "$(dirname "$0")/../.."
root=${WHEEL_ROOT:-.build/wheel-root}

skip() { echo "wheel: skipped: $1"; exit 0; }
[ "$(id -u)" = 0 ] || skip "a root of its own needs root's rights"
for program in debootstrap bwrap; do command -v $program >/dev/null || skip "$program is not installed"; done
bwrap --bind / / --dev /dev true 2>/dev/null || skip "bubblewrap can make no root here"
if [ ! -e "$root/.complete" ]; then
    rm -rf "$root"
    debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates,gcc,libc6-dev,make bookworm "$root" \
        "${DEBIAN_MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' | head -1)}" >/dev/null || skip "Debian cannot be reached"
    touch "$root/.complete"
fi
# What the client depends on, so that the root needs no network.
dependencies=${WHEEL_DEPENDENCIES:-.build/wheel-deps}
[ -e "$dependencies/.complete" ] || {
    python3 -m pip download --quiet --dest "$dependencies" --python-version 3.11 --only-binary :all: \
        numpy protobuf pandas matplotlib tqdm ipykernel nbclient || skip "numpy, protobuf and what notebooks need cannot be had"
    touch "$dependencies/.complete"
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cat >"$scratch/inside.sh" <<'INSIDE'
set -euo pipefail
export HOME=/home/someone XDG_RUNTIME_DIR=/run/someone
mkdir -p "$HOME" "$XDG_RUNTIME_DIR" && chmod 700 "$XDG_RUNTIME_DIR"
cd "$HOME"
! command -v swift && ! ls /usr/lib/x86_64-linux-gnu | grep -E 'openblas|sndfile|soxr|pango'
SECONDS=0
python3 -m venv venv
. venv/bin/activate
echo "an environment in $SECONDS s"
pip install --quiet --no-index --find-links /dependencies /wheel/*.whl
echo "installed in $SECONDS s"
said=$(auscult transcribe demo:en-slt-01)
echo "$said"
[ "$said" = "the goat is cold but the horse is famous" ] || [ "$said" = " the goat is cold but the horse is famous" ]
python -c 'import auscult; print(auscult.connect().transcribe("demo:en-slt-01").text)'
echo "installed, and the first transcripts, in $SECONDS s"
auscult plugins
auscult run features demo:en-slt-01 -p hooks=encoder.blocks.0.mlp.1 --context auto --format json --quiet >features.json
python -c 'import json; json.load(open("features.json"))'
auscult atlas build demo: --out demo.atlas --context auto --quiet
auscult atlas show demo.atlas | sed -n 1,5p
auscult plugins new pitch-range --lang c >/dev/null
make -C pitch-range >/dev/null
auscult plugins validate pitch-range/build/org.example.pitch-range | tail -1
auscult run pitch-range/build/org.example.pitch-range demo:en-slt-01 | tail -3
# The header that came along is the template's.
cmp "$(python -c 'from auscult import _programs; print(_programs.header_folder())')/auscult_plugin.h" "$(find pitch-range -name auscult_plugin.h)"
pip install --quiet --no-index --find-links /dependencies ipykernel nbclient pandas matplotlib tqdm
python - <<'NOTEBOOK'
import nbclient, nbformat
notebook = nbformat.read("/notebooks/1-first-look.ipynb", as_version=4)
nbclient.NotebookClient(notebook, kernel_name="python3", timeout=600, startup_timeout=600).execute()
print("the first notebook:", sum(bool(one.get("outputs")) for one in notebook.cells), "cells with outputs")
NOTEBOOK
auscult stop
pip uninstall --quiet --yes auscult
left=$(find venv -path '*auscult*' | head)
[ -z "$left" ] || { echo "left behind: $left"; exit 1; }
INSIDE
bwrap --bind "$root" / --dev /dev --proc /proc --tmpfs /tmp --tmpfs /run --tmpfs /home \
    --dir /wheel --ro-bind "$wheel" "/wheel/$(basename "$wheel")" --ro-bind "$dependencies" /dependencies \
    --ro-bind clients/python/notebooks /notebooks \
    --ro-bind "$scratch/inside.sh" /inside.sh --unshare-net --unshare-pid --die-with-parent --clearenv --setenv PATH /usr/bin:/bin \
    --setenv LANG C.UTF-8 bash /inside.sh
