#!/usr/bin/env bash
# scripts/install-units.sh PREFIX [DESTDIR]: systemd's user units, with the place of auscultd in them.
set -euo pipefail
prefix=$1 units=${2:-}$1/lib/systemd/user
here=$(dirname "$0")/systemd

mkdir -p "$units"
install -m 644 "$here/auscult.socket" "$units/auscult.socket"
# Without sed: a prefix may contain any character.
service=$(<"$here/auscult.service")
printf '%s\n' "${service//@PREFIX@/"$prefix"}" >"$units/auscult.service"
chmod 644 "$units/auscult.service"
