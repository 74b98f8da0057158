#!/usr/bin/env bash
# scripts/fuzz.sh --build: builds what follows, and no more, in the processor time that others leave over.
# scripts/fuzz.sh SECONDS [KIND…]: throws bytes at what reads sockets and files with libFuzzer and AddressSanitizer: frames, messages,
# checkpoints, manifests and pages, each for SECONDS, as many at a time as there are JOBS. Inputs that were worth keeping stay in
# $FUZZ_WORK/corpus (.build-fuzz/corpus); a finding is written to $FUZZ_WORK, and its name begins with its kind.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
shift || true
kinds=("$@")
[[ ${#kinds[@]} -gt 0 ]] || kinds=(frames messages checkpoints manifests pages)
work=${FUZZ_WORK:-.build-fuzz}
toolchain=$(dirname "$(readlink -f "$(command -v "${SWIFT:-swift}")")")/..
library=$(find "$toolchain/lib/clang" -name 'libclang_rt.fuzzer_no_main-x86_64.a' 2>/dev/null | head -n 1 || true)
if [[ -z $library ]]; then
    echo "skipped: this toolchain has no libFuzzer (libclang_rt.fuzzer_no_main)"
    exit 0
fi
if [[ $seconds == --build ]]; then
    if chrt --idle 0 true 2>/dev/null; then chrt --idle --pid 0 $$ >/dev/null; else renice -n 19 $$ >/dev/null; fi
fi
AUSCULT_FUZZER=$library "${SWIFT:-swift}" build -c release -j "${JOBS:-2}" --scratch-path .build-fuzz --sanitize address \
    --product auscult-fuzz
[[ $seconds != --build ]] || exit 0

fuzz() {
    mkdir -p "$work/corpus/$1"
    local status=0
    SWIFT_BACKTRACE=enable=no .build-fuzz/release/auscult-fuzz "$1" -max_total_time="$seconds" -rss_limit_mb=1024 -timeout=10 \
        -print_final_stats=1 -artifact_prefix="$work/$1-" "$work/corpus/$1" "Tests/fuzz/corpus/$1" >"$work/$1.log" 2>&1 || status=$?
    if [[ $status -ne 0 ]]; then
        tail -n 60 "$work/$1.log"
        echo "fuzzing of $1 ended with $status; $work/$1.log has it all" >&2
        return 1
    fi
    echo "$1: $(sed -n 's/^stat::number_of_executed_units: *//p' "$work/$1.log") inputs in $seconds s, nothing found"
}
export -f fuzz
export work seconds
printf '%s\n' "${kinds[@]}" | xargs -P "${JOBS:-2}" -I{} bash -c 'set -euo pipefail; fuzz {}'
