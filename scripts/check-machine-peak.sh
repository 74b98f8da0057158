#!/usr/bin/env bash
# Fails where the loops that measure the machine's peak do fewer multiply-adds than they are counted for.
#
#   scripts/check-machine-peak.sh [.build/release]
#
# A loop has twelve chains. A compiler that knows what one of them comes to leaves it out, and the peak that is then measured is a twelfth
# higher than the machine's: so it was until 2026-12-01.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-.build/release}
object=$build/CMachinePeak.build/peak.c.o

if [[ $(uname -m) != x86_64 ]]; then
    echo "machine peak: one loop on $(uname -m), of any compiler's vectors, not checked"
    exit 0
fi
if [[ ! -f $object ]]; then
    echo "check-machine-peak: there is no $object; build first." >&2
    exit 1
fi
# llvm-objdump comes with the toolchain; binutils' does as well.
if swift=$(command -v "${SWIFT:-swift}") && tool=$(dirname "$(readlink -f "$swift")")/llvm-objdump && [[ -x $tool ]]; then
    disassemble=("$tool" -d --disassemble-symbols)
elif command -v objdump >/dev/null; then
    disassemble=(objdump -d --disassemble)
else
    echo "check-machine-peak: neither llvm-objdump beside swift nor objdump is there; install binutils." >&2
    exit 1
fi

status=0
for loop in multiply_add_avx2 multiply_add_avx512; do
    # Compilers unroll, so there are twelve, or a multiple of it.
    count=$("${disassemble[@]}=$loop" "$object" | grep -c 'vfn\?madd' || true)
    if ((count == 0 || count % 12)); then
        echo "check-machine-peak: $loop has $count multiply-adds, expected 12 or a multiple of 12." >&2
        status=1
    else
        echo "machine peak: $loop has all of its chains ($count multiply-adds)"
    fi
done
exit $status
