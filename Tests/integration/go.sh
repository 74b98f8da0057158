#!/usr/bin/env bash
# Tests/integration/go.sh [AUSCULT AUSCULTD]: containerd's ttRPC in Go against a real daemon.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
auscult=${1:-$root/.build/release/auscult}
auscultd=${2:-$root/.build/release/auscultd}
program=$("$here/go-program.sh")
if [[ -z $program ]]; then
    echo "skipped: Go or its ttRPC library is not installed"
    exit 0
fi

folder=$(mktemp -d)
socket=$folder/run/auscult.sock
daemon=
finish() {
    if [[ -n $daemon ]]; then
        kill "$daemon" 2> /dev/null || true
        wait "$daemon" || true
    fi
    rm -rf "$folder"
}
trap finish EXIT
trap 'exit 130' INT TERM

mkdir -m 700 "$folder/run"
export XDG_DATA_HOME=$folder XDG_STATE_HOME=$folder XDG_CONFIG_HOME=$folder
# The checks make 100 calls at once.
"$auscultd" --socket "$socket" --max-streams-per-connection 128 --drain-timeout 1 2> "$folder/log" &
daemon=$!
for _ in {1..600}; do
    if "$auscult" status --no-start --socket "$socket" &> /dev/null; then break; fi
    if ! kill -0 "$daemon" 2> /dev/null; then break; fi
    sleep 0.1
done
if ! expected=$("$auscult" transcribe demo:en-slt-01 --no-start --socket "$socket"); then
    echo "the daemon did not answer at $socket:" >&2
    cat "$folder/log" >&2
    exit 1
fi

status=0
timeout 300 "$program" -socket "$socket" -expect "$expected" || status=$?
if ((status)); then
    echo "the daemon's log:" >&2
    cat "$folder/log" >&2
fi
exit "$status"
