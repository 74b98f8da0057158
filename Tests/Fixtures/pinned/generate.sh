#!/usr/bin/env bash
# Writes digests.json beside this file anew: the SHA-256 of what commands give, with the plain loops of every operation
# (Tests/CommandsTests/PinnedResultsTests.swift). For a change that is meant to change results; its message says why.
set -euo pipefail
cd "$(dirname "$0")/../../.."
export ONLY_TESTS=CommandsTests
"${SWIFT:-swift}" build -c release -j "${JOBS:-2}" --build-tests
rm -f Tests/Fixtures/pinned/digests.json
AUSCULT_PINNED=write "${SWIFT:-swift}" test -c release --skip-build --no-parallel --filter PinnedResultsTests
git diff --stat -- Tests/Fixtures/pinned
