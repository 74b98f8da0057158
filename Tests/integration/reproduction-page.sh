#!/bin/sh
# Makes the page of `auscult reproduce` of a few embedded clips and tries it in a headless Chromium, in light and dark, at a
# desk's and a phone's size.
#   reproduction-page.sh [AUSCULT [FOLDER]]
# FOLDER takes screenshots. The plugins have to be built (make plugins); without them fewer sections have figures.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
command -v chromium > /dev/null || apt-get install -y --no-install-recommends chromium
python=$here/../../.build/python/bin/python
[ -x "$python" ] || python=python3
"$python" -c 'import pytest' 2> /dev/null || pip install --quiet pytest
auscult=$(realpath "${1:-$here/../../.build/release/auscult}")
work=$(mktemp -d)
export AUSCULT_SOCKET="$work/auscult.sock" REPRODUCTION_PAGE="$work/report/index.html" REPRODUCTION_SHOTS="${2:-}"
trap '"$auscult" stop --drain 0 > /dev/null 2>&1 || true; rm -rf "$work"' EXIT
[ -z "$REPRODUCTION_SHOTS" ] || { mkdir -p "$REPRODUCTION_SHOTS"; REPRODUCTION_SHOTS=$(realpath "$REPRODUCTION_SHOTS"); }
# Of each language and voice some, and what is no speech.
set --
for clip in en-slt-01 en-slt-02 en-rms-01 en-gb-01 en-us-02 fr-male-03 fr-female-03 nonspeech-noise; do
    set -- "$@" "demo:$clip"
done
"$auscult" reproduce "$@" --quiet --only attention --only words --only bigrams --only neurons --out "$work/report"
cd "$here"
"$python" -m pytest -q -p no:cacheprovider test_reproduction_page.py
