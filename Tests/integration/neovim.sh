#!/usr/bin/env bash
# Tests/integration/neovim.sh [AUSCULT AUSCULTD]: clients/neovim against a real daemon, in Neovim without a screen.
#   AUSCULT_PLUGIN_PATH=…  the analyses, by default those beside AUSCULTD
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
auscult=$(realpath "${1:-$root/.build/release/auscult}")
AUSCULT_DAEMON=$(realpath "${2:-$root/.build/release/auscultd}")
export AUSCULT_DAEMON
if ! command -v nvim > /dev/null; then
    echo "skipped: nvim is not installed"
    exit 0
fi

folder=$(mktemp -d)
export AUSCULT=$auscult OUT=$folder AUSCULT_PLUGIN_PATH=${AUSCULT_PLUGIN_PATH:-$(dirname "$AUSCULT_DAEMON")/plugins}
export AUSCULT_SOCKET=$folder/d.sock XDG_DATA_HOME=$folder XDG_STATE_HOME=$folder XDG_CONFIG_HOME=$folder
trap '"$auscult" stop --drain 0 > /dev/null || true; rm -rf "$folder"' EXIT

# As a package manager would put it there; the tags of its help are written beside it.
cp -r "$root/clients/neovim" "$folder/auscult"
# Plays nothing, and keeps what it was to play.
printf '#!/bin/sh\ncp "$2" "$OUT/played.wav"\n' > "$folder/player"
chmod +x "$folder/player"
# A name with blanks.
"$auscult" samples export "$folder/clips" > /dev/null
cp "$folder/clips/en-slt-01.flac" "$folder/two words.flac"

timeout 240 nvim --headless -u NONE -i NONE --cmd "set runtimepath^=$folder/auscult" --cmd "runtime plugin/auscult.lua" \
    -S "$here/neovim.lua" < /dev/null
"$auscult" transcribe demo:en-slt-01 > "$folder/expected.txt"
diff "$folder/expected.txt" "$folder/transcript.txt"
diff "$folder/expected.txt" "$folder/inserted.txt"
diff "$folder/expected.txt" "$folder/live.txt"
grep -q '^encoder\.blocks\.0\.mlp\.1  [0-9]* × [0-9]*  frame × neuron$' "$folder/hooks.txt"
# The line with the number of recordings says how long it took.
"$auscult" run attention-stats demo:en-slt-01 --quiet | sed '/^1 recordings, /d' > "$folder/expected-run.txt"
grep -q 'encoder  *0  *0' "$folder/expected-run.txt"
sed '/^1 recordings, /d' "$folder/run.txt" | diff "$folder/expected-run.txt" -
# The word's time at 16 kHz, 16 bits, behind a header.
size=$(stat -c %s "$folder/played.wav")
expected=$((32 * $(cat "$folder/word-milliseconds.txt")))
if ((size < expected || size > expected + 840)); then
    echo "the word that was played has $size bytes, expected $expected and a header" >&2
    exit 1
fi
echo "the Neovim client: $(cat "$folder/transcript.txt")"
