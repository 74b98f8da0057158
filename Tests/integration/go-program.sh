#!/usr/bin/env bash
# Builds Go's client of ttRPC for the tests and the benchmark, and prints where it lies.
set -euo pipefail
cd "$(dirname "$0")/../.."
scripts/bootstrap.sh integration >&2
program=$PWD/.build/integration/auscult-go
mkdir -p "$(dirname "$program")"
# Debian's libraries lie in GOPATH's layout; modules would fetch them from elsewhere.
cd Tests/integration/go
GO111MODULE=off GOPATH=/usr/share/gocode GOFLAGS=-trimpath GOCACHE=${GOCACHE:-$(dirname "$program")/cache} \
    go build -o "$program" . >&2
echo "$program"
