#!/usr/bin/env bash
# Tests/integration/vamp.sh [AUSCULT AUSCULTD]: clients/vamp against a real daemon, in Vamp's own host and in one that tries what hosts may do.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
AUSCULT=$(realpath "${1:-$root/.build/release/auscult}")
AUSCULT_DAEMON=$(realpath "${2:-$root/.build/release/auscultd}")
if ! command -v vamp-simple-host > /dev/null; then
    echo "skipped: vamp-simple-host is not installed (vamp-examples)"
    exit 0
fi
if ! pkg-config --exists vamp libprotobuf-c; then
    echo "skipped: vamp.h or protobuf-c is not installed (vamp-plugin-sdk, libprotobuf-c-dev)"
    exit 0
fi

folder=$(mktemp -d)
export AUSCULT AUSCULT_DAEMON OUT=$folder VAMP_PATH=$folder/plugins
export AUSCULT_SOCKET=$folder/d.sock XDG_DATA_HOME=$folder XDG_STATE_HOME=$folder XDG_CONFIG_HOME=$folder
unset AUSCULT_VAMP_MODEL AUSCULT_VAMP_DICTIONARY
trap '"$AUSCULT" stop --drain 0 > /dev/null 2>&1 || true; rm -rf "$folder"' EXIT

make --silent -j2 -C "$root/clients/vamp" install BUILD="$folder/build" CFLAGS='-O1 -Werror'
timeout 240 python3 "$here/vamp.py"
# The tester of Vamp's authors is in no package; where somebody has it, it is asked as well.
if command -v vamp-plugin-tester > /dev/null; then
    for plugin in transcript features; do
        timeout 240 vamp-plugin-tester "auscult-vamp:auscult-$plugin" 2> "$folder/log" || { cat "$folder/log" >&2; exit 1; }
    done
fi
