#!/usr/bin/env bash
# Writes the page of planted results and tries it in a headless Chromium, in light and dark, at a desk's and a phone's
# size. Screenshots go to the folder named as the first argument, if one is.
#   PYTEST=…  the pytest to run it with
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export RESULTS_PAGE="$work/page.html"
export RESULTS_SHOTS=${1:+$(realpath -m "$1")}
[[ -z $RESULTS_SHOTS ]] || mkdir -p "$RESULTS_SHOTS"
cd "$here/../.."
pytest=$(realpath -s "${PYTEST:-.build/python/bin/pytest}")
# As `make test` does it: a build by `swift test` itself has other flags, and compiles everything again.
"${SWIFT:-swift}" build -c release -j "${JOBS:-2}" --build-tests
"${SWIFT:-swift}" test -c release --skip-build --filter ResultsPicturesTests/browser
# Without the page every test would be skipped, and nothing be said.
[[ -s $RESULTS_PAGE ]]
cd "$here"
"$pytest" -q -p no:cacheprovider test_results_page.py
