#!/usr/bin/env bash
# Tests/integration/go-program.sh: builds Tests/integration/go where its sources are newer, and prints the program's path.
# Prints nothing where Go or its ttRPC library (Debian's golang-github-containerd-ttrpc-dev) is not installed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=$root/.build/integration
program=$build/auscult-go
gopath=/usr/share/gocode

if ! command -v go > /dev/null || [[ ! -d $gopath/src/github.com/containerd/ttrpc ]]; then
    exit 0
fi
if [[ ! -x $program || -n $(find "$here/go" "$here/go-program.sh" -newer "$program") ]]; then
    mkdir -p "$build"
    # Packages come from the distribution, without modules and without the network.
    (cd "$here/go" && GO111MODULE=off GOPATH=$gopath GOFLAGS='' GOCACHE=$build/go-cache \
        go build -trimpath -o "$program" .) >&2
fi
printf '%s\n' "$program"
