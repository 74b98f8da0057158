#!/usr/bin/env bash
# Compiles the kernels of aarch64 on any machine and runs them in an emulator, against plain loops.
#
# The toolchain for Linux has no standard library for another processor, but Embedded Swift's for a bare aarch64, which is all
# that kernels need. The C library, the linker and the emulator are Debian's: libc6-dev-arm64-cross libgcc-12-dev-arm64-cross lld qemu-user.
set -euo pipefail
cd "$(dirname "$0")/.."
swift=$(dirname "$(readlink -f "$(command -v "${SWIFT:-swift}")")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sysroot=/usr/aarch64-linux-gnu

for need in /usr/bin/qemu-aarch64 $sysroot/lib/libc.a "$swift/../lib/swift/embedded/Swift.swiftmodule/aarch64-none-none-elf.swiftmodule"; do
    if [[ ! -e $need ]]; then
        echo "check-neon: $need is not there. Debian's packages are libc6-dev-arm64-cross libgcc-12-dev-arm64-cross lld qemu-user," \
            "and the toolchain must have Embedded Swift for aarch64." >&2
        exit 1
    fi
done

"$swift/swiftc" -target aarch64-none-none-elf -enable-experimental-feature Embedded -parse-as-library -wmo -O \
    -module-name KernelsPortable -I Sources/CVectors/include -Xcc -ffreestanding -Xfrontend -disable-stack-protector \
    Sources/KernelForms/Portable/*.swift Sources/KernelForms/Source/*.swift Tests/neon/Check.swift -c -o "$work/kernels.o"
clang=("$swift/clang" -target aarch64-linux-gnu -O2 -static -fuse-ld=lld -isystem $sysroot/include)
libgcc=$(echo /usr/lib/gcc-cross/aarch64-linux-gnu/*)
"${clang[@]}" -nostdlib -o "$work/check" $sysroot/lib/crt1.o $sysroot/lib/crti.o Tests/neon/main.c "$work/kernels.o" \
    -L $sysroot/lib -L "$libgcc" -lm -Wl,--start-group -lc -lgcc -lgcc_eh -Wl,--end-group $sysroot/lib/crtn.o
qemu-aarch64 "$work/check"
