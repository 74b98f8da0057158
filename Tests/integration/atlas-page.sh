#!/usr/bin/env bash
# Writes synthetic atlases and tries their page in a headless Chromium: served, with the daemon's sounds, and exported
# as files. Screenshots go to the folder named as the third argument, if one is.
#   atlas-page.sh AUSCULT AUSCULTD [SHOTS]
#   PYTEST=…  the pytest to run it with
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
AUSCULT=$(realpath "$1")
AUSCULT_DAEMON=$(realpath "$2")
ATLAS_SHOTS=${3:+$(realpath -m "$3")}
[[ -z $ATLAS_SHOTS ]] || mkdir -p "$ATLAS_SHOTS"
work=$(mktemp -d)
export AUSCULT AUSCULT_DAEMON ATLAS_SHOTS ATLAS_FOLDER="$work" AUSCULT_SOCKET="$work/auscult.sock"
trap '"$AUSCULT" stop > /dev/null 2>&1 || true; rm -rf "$work"' EXIT
cd "$here/../.."
pytest=$(realpath -s "${PYTEST:-.build/python/bin/pytest}")
# As `make test` does it: a build by `swift test` itself has other flags, and compiles everything again.
"${SWIFT:-swift}" build -c release -j "${JOBS:-2}" --build-tests
"${SWIFT:-swift}" test -c release --skip-build --filter AtlasForBrowserTests
# Without the atlases every test would be skipped, and nothing be said.
[[ -s $work/many/synthetic.atlas ]]
cd "$here"
"$pytest" -q -p no:cacheprovider test_atlas_page.py
