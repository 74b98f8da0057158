#!/usr/bin/env bash
# Tests/integration/neovim.sh [AUSCULT AUSCULTD]: clients/neovim against a real daemon, in Neovim without a screen.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
auscult=${1:-$root/.build/release/auscult}
export AUSCULT_DAEMON=${2:-$root/.build/release/auscultd}
if ! command -v nvim > /dev/null; then
    echo "skipped: nvim is not installed"
    exit 0
fi

folder=$(mktemp -d)
export AUSCULT=$auscult AUSCULT_LUA=$root/clients/neovim/auscult.lua OUT=$folder
export AUSCULT_SOCKET=$folder/d.sock XDG_DATA_HOME=$folder XDG_STATE_HOME=$folder XDG_CONFIG_HOME=$folder
trap '"$auscult" stop --drain 0 > /dev/null || true; rm -rf "$folder"' EXIT

timeout 240 nvim --headless -u NONE -i NONE -S "$here/neovim.lua" < /dev/null
"$auscult" transcribe demo:en-slt-01 > "$folder/expected.txt"
diff "$folder/expected.txt" "$folder/transcript.txt"
grep -q '^encoder\.blocks\.0\.mlp\.1  [0-9]* × [0-9]*  frame × neuron$' "$folder/hooks.txt"
echo "the Neovim client: $(cat "$folder/transcript.txt")"
