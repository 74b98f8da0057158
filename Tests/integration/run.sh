#!/usr/bin/env bash
# Clients of other makes against the daemon that $AUSCULT_DAEMON names: Go's ttRPC.
#
#   Tests/integration/run.sh            a daemon of its own, with folders of its own
set -euo pipefail
cd "$(dirname "$0")/../.."
daemon=${AUSCULT_DAEMON:-$PWD/.build/release/auscultd}
if [[ ! -x $daemon ]]; then
    echo "There is no daemon at $daemon: build it with make build, or name it in AUSCULT_DAEMON." >&2
    exit 1
fi
client=$(Tests/integration/go-program.sh)

folder=$(mktemp -d)
process=
finish() {
    status=$?
    if [[ -n $process ]]; then
        kill "$process" 2>/dev/null || true
        wait "$process" 2>/dev/null || true
    fi
    if ((status)) && [[ -s $folder/log ]]; then
        echo "The daemon said:" >&2
        tail -n 20 "$folder/log" >&2
    fi
    rm -rf "$folder"
    exit "$status"
}
trap finish EXIT

mkdir -p "$folder"/{config,data,state,cache}
mkdir -m 700 "$folder/run"
export XDG_CONFIG_HOME=$folder/config XDG_DATA_HOME=$folder/data XDG_STATE_HOME=$folder/state
export XDG_CACHE_HOME=$folder/cache XDG_RUNTIME_DIR=$folder/run
export AUSCULT_SOCKET=$folder/run/auscult.sock
"$daemon" --socket "$AUSCULT_SOCKET" >"$folder/log" 2>&1 &
process=$!
for _ in {1..600}; do
    [[ -S $AUSCULT_SOCKET ]] && break
    if ! kill -0 "$process" 2>/dev/null; then
        echo "The daemon did not start." >&2
        exit 1
    fi
    sleep 0.1
done

"$client"
echo "Go's client and the daemon agree."
