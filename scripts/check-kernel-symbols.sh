#!/usr/bin/env bash
# Fails where an object of one instruction set has a weak symbol that is not its own module's, or a `defer` or a closure that was not inlined.
#
#   scripts/check-kernel-symbols.sh [.build/release]
#
# A function of the standard library that was specialised and not inlined is such a symbol: every object that uses it has one, and a
# linker keeps the first. Kept from a module compiled for AVX-512, it would run on processors that have none.
# A `defer` or a closure that stays a function of its own has what it captures in memory: a product whose loop calls one takes five times as long.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-.build/release}
# What every processor runs is left out: its symbols may be taken for anybody's.
modules=()
for folder in Sources/KernelForms/*/; do
    form=$(basename "$folder")
    [[ $form == Portable || $form == Source ]] || modules+=("Kernels$form")
done

if [[ $(uname -m) != x86_64 ]]; then
    echo "kernel symbols: one instruction set on $(uname -m), nothing to check"
    exit 0
fi

# llvm-nm comes with the toolchain; binutils' does as well.
nm=nm
if swift=$(command -v "${SWIFT:-swift}") && tool=$(dirname "$(readlink -f "$swift")")/llvm-nm && [[ -x $tool ]]; then
    nm=$tool
elif ! command -v nm >/dev/null; then
    echo "check-kernel-symbols: neither llvm-nm beside swift nor nm is there; install binutils." >&2
    exit 1
fi

status=0
for module in "${modules[@]}"; do
    shopt -s nullglob
    objects=("$build/$module.build"/*.o)
    if ((${#objects[@]} == 0)); then
        echo "check-kernel-symbols: no objects in $build/$module.build; build first." >&2
        exit 1
    fi
    # "address type name", or "type name" for what is undefined. A Swift name begins with its module's, after the length of it.
    leaks=$("$nm" "${objects[@]}" | awk -v own="\$s${#module}$module" '
        NF >= 2 && $(NF - 1) ~ /^[WVwvu]$/ && index($NF, own) != 1 && $NF != "__swift_reflection_version" { print $NF }' | sort -u)
    if [[ -n $leaks ]]; then
        status=1
        echo "check-kernel-symbols: $module has weak symbols that another module could have as well:" >&2
        while read -r symbol; do
            echo "  $symbol" >&2
        done <<<"$leaks"
    else
        echo "kernel symbols: ${#objects[@]} objects of $module, no weak symbol but its own"
    fi
    # "…$deferL_yyF" and "…U_", "…U0_" are what Swift calls the two.
    apart=$("$nm" "${objects[@]}" | awk 'NF >= 3 && ($NF ~ /[$]defer/ || $NF ~ /U[0-9]*_$/) { print $NF }' | sort -u)
    if [[ -n $apart ]]; then
        status=1
        echo "check-kernel-symbols: $module calls what should have been inlined:" >&2
        while read -r symbol; do
            echo "  $symbol" >&2
        done <<<"$apart"
    fi
done
exit $status
