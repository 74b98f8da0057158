#!/usr/bin/env bash
# Tests/fuzz/run.sh SECONDS: fuzzes what comes from the socket for so long, within 1 GiB of memory.
#
# The seeds in Tests/fuzz/corpus are read, and what is found is kept in .build-fuzz/corpus. An input that breaks something is
# left as .build-fuzz/crash-…: give its path to .build-fuzz/release/auscult-fuzz to see it again.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:?"for how many seconds?"}
export AUSCULT_FUZZ=1
"${SWIFT:-swift}" build -c release -j "${JOBS:-2}" --scratch-path .build-fuzz --product auscult-fuzz
mkdir -p .build-fuzz/corpus
.build-fuzz/release/auscult-fuzz -max_total_time="$seconds" -rss_limit_mb=1024 -timeout=10 -max_len=65536 \
    -len_control=50 -print_final_stats=1 -verbosity=0 -artifact_prefix=.build-fuzz/ .build-fuzz/corpus Tests/fuzz/corpus
