#!/usr/bin/env bash
# scripts/fuzz.sh SECONDS: throws bytes at what reads sockets and files (frames, streams, messages, checkpoints, manifests, pages) with libFuzzer and
# AddressSanitizer. Inputs that were worth keeping stay in .build-fuzz/corpus; a finding is written to .build-fuzz/.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
toolchain=$(dirname "$(readlink -f "$(command -v "${SWIFT:-swift}")")")/..
library=$(find "$toolchain/lib/clang" -name 'libclang_rt.fuzzer_no_main-x86_64.a' 2>/dev/null | head -n 1 || true)
if [[ -z $library ]]; then
    echo "skipped: this toolchain has no libFuzzer (libclang_rt.fuzzer_no_main)"
    exit 0
fi
AUSCULT_FUZZER=$library "${SWIFT:-swift}" build -c release -j "${JOBS:-2}" --scratch-path .build-fuzz --sanitize address \
    --product auscult-fuzz
mkdir -p .build-fuzz/corpus
SWIFT_BACKTRACE=enable=no exec .build-fuzz/release/auscult-fuzz -max_total_time="$seconds" -rss_limit_mb=1024 -timeout=10 \
    -print_final_stats=1 -artifact_prefix=.build-fuzz/ .build-fuzz/corpus Tests/fuzz/corpus
