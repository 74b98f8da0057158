#!/bin/sh
# Writes the page of planted results and tries it in a headless Chromium, in light and dark, at a desk's and a phone's
# size. Screenshots go to the folder named as the first argument, if one is.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
command -v chromium > /dev/null || apt-get install -y --no-install-recommends chromium
python3 -c 'import pytest' 2> /dev/null || pip install --quiet pytest
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export RESULTS_PAGE="$work/page.html" RESULTS_SHOTS="${1:-}"
[ -z "$RESULTS_SHOTS" ] || mkdir -p "$RESULTS_SHOTS"
cd "$here/../.."
${SWIFT:-swift} test -c release -j "${JOBS:-2}" --filter ResultsPicturesTests
cd "$here"
python3 -m pytest -q -p no:cacheprovider test_results_page.py
