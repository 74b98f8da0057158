#!/usr/bin/env bash
# Tries the live page in a headless Chromium, whose microphone is a file: what is said into it is read and written. Screenshots go to the
# folder named as the third argument, if one is.
#   live-page.sh AUSCULT AUSCULTD [SHOTS]
#   PYTEST=…  the pytest to run it with
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
AUSCULT=$(realpath "$1")
AUSCULT_DAEMON=$(realpath "$2")
LIVE_SHOTS=${3:+$(realpath -m "$3")}
[[ -z $LIVE_SHOTS ]] || mkdir -p "$LIVE_SHOTS"
work=$(mktemp -d)
export AUSCULT AUSCULT_DAEMON LIVE_SHOTS LIVE_FOLDER="$work" AUSCULT_SOCKET="$work/auscult.sock"
trap '"$AUSCULT" stop > /dev/null 2>&1 || true; rm -rf "$work"' EXIT
pytest=$(realpath -s "${PYTEST:-$here/../../.build/python/bin/pytest}")
cd "$here"
"$pytest" -q -p no:cacheprovider test_live_page.py
