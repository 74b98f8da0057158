#!/usr/bin/env bash
# Makes the page of `auscult reproduce` of a few embedded clips and tries it in a headless Chromium, in light and dark, at
# a desk's and a phone's size. The plugins have to be built (make plugins). Screenshots go to the folder named as the
# second argument, if one is.
#   reproduction-page.sh [AUSCULT [SHOTS]]
#   PYTEST=…  the pytest to run it with
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
auscult=$(realpath "${1:-$here/../../.build/release/auscult}")
work=$(mktemp -d)
export AUSCULT_SOCKET="$work/auscult.sock" REPRODUCTION_PAGE="$work/report/index.html"
export REPRODUCTION_SHOTS=${2:+$(realpath -m "$2")}
trap '"$auscult" stop --drain 0 > /dev/null 2>&1 || true; rm -rf "$work"' EXIT
[[ -z $REPRODUCTION_SHOTS ]] || mkdir -p "$REPRODUCTION_SHOTS"
cd "$here/../.."
pytest=$(realpath -s "${PYTEST:-.build/python/bin/pytest}")
# Of each language and voice some, and what is no speech.
clips=(en-slt-01 en-slt-02 en-rms-01 en-gb-01 en-us-02 fr-male-03 fr-female-03 nonspeech-noise)
"$auscult" reproduce "${clips[@]/#/demo:}" --quiet --only attention --only words --only bigrams --only neurons \
    --out "$work/report"
cd "$here"
"$pytest" -q -p no:cacheprovider test_reproduction_page.py
