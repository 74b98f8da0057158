#!/usr/bin/env bash
# Every command that README.md and the other pages have: its name and options are there, and where its output stands beside it and
# its inputs are at hand, it is run and the output compared.
#   pages.sh AUSCULT AUSCULTD [PYTEST'S ARGUMENTS]
#   RELEASED=FOLDER  has whisper-tiny.en, for commands with --model tiny.en (.build/released)
#   INPUTS=FOLDER    has what pages name and the repository has not: jfk.flac, voices.jsonl, lj.jsonl
#   PYTEST=…         the pytest to run it with
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
AUSCULT=$(realpath "$1")
work=$(mktemp -d)
export AUSCULT PAGES_WORK="$work" AUSCULT_SOCKET="$work/auscult.sock" XDG_DATA_HOME="$work/data"
export AUSCULT_PLUGIN_PATH=${AUSCULT_PLUGIN_PATH:-$(dirname "$AUSCULT")/plugins}
trap '"$AUSCULT" stop > /dev/null 2>&1 || true; rm -rf "$work"' EXIT
cd "$here/../.."
export RELEASED=$(realpath -m "${RELEASED:-.build/released}")
pytest=$(realpath -s "${PYTEST:-.build/python/bin/pytest}")
PATH="$(dirname "$AUSCULT"):$(dirname "$(realpath "$2")"):$PATH"
shift 2
cd "$here"
"$pytest" -q -rs -p no:cacheprovider test_pages.py "$@"
