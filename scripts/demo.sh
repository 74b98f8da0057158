#!/usr/bin/env bash
# scripts/demo.sh AUSCULT [FILE]: from a recording to a transcript, then a look inside the model that made it.
set -euo pipefail
auscult=$1
recording=${2:-demo:en-slt-01}
here=$(dirname "$0")
folder=$(mktemp -d)
# A daemon of its own, which ends with the demonstration.
export AUSCULT_SOCKET=$folder/auscult.sock
trap '"$auscult" stop --drain 0 > /dev/null || true; rm -rf "$folder"' EXIT

bold() { if [[ -t 1 ]]; then printf '\033[1m%s\033[0m\n' "$*"; else printf '%s\n' "$*"; fi; }

show() { # the command as one would type it, and its output
    printf '\n'
    bold "\$ auscult $(quoted "$@")"
    "$auscult" "$@"
}

quoted() {
    local word words=()
    for word in "$@"; do
        case $word in
        *[*?\ ]*) words+=("'$word'") ;;
        "$folder"/*) words+=("${word##*/}") ;;
        *) words+=("$word") ;;
        esac
    done
    printf '%s' "${words[*]}"
}

show transcribe "$recording" --timestamps

show hooks 'encoder.blocks.0.**'

show trace "$recording" --hooks 'decoder.blocks.*.cross_attn.pattern' --out "$folder/trace.safetensors" |
    sed "s|$folder/||"

printf '\n'
bold "Where the decoder listens while it writes each word (scripts/look.py, from that file)"
python3 "$here/look.py" "$folder/trace.safetensors" "$here/../models/default"
