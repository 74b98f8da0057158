#!/usr/bin/env bash
# scripts/demo.sh AUSCULT [FILE]: a recording to a transcript, then a look inside. Each command is shown before it runs.
set -euo pipefail
auscult=$1
recording=${2:-}

show() {
    printf '\n\033[1m$ auscult %s\033[0m\n' "$*"
    "$auscult" "$@"
}

show transcribe "${recording:-demo:english}" --word-timestamps
