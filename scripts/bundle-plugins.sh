#!/bin/sh
# Puts the libraries of plugins/ that were built into bundles: a folder <id> with manifest.json and plugin.so.
#   scripts/bundle-plugins.sh BUILD_FOLDER BUNDLES_FOLDER
set -eu
built=$1 bundles=$2
cd "$(dirname "$0")/.."
for manifest in plugins/*/manifest.json; do
    folder=$(dirname "$manifest")
    library=$built/lib$(basename "$folder").so
    # Templates have manifests as well, and are built on their own.
    [ -d "$folder/Sources" ] && [ ! -e "$folder/Package.swift" ] || continue
    [ -e "$library" ] || { echo "$library is not there; run make plugins" >&2; exit 1; }
    id=$(sed -n 's/^ *"id": *"\([^"]*\)".*/\1/p' "$manifest")
    mkdir -p "$bundles/$id"
    install -m 644 "$manifest" "$bundles/$id/manifest.json"
    # Whole or not at all: a plugin that runs keeps the file that it was loaded from.
    install -m 755 "$library" "$bundles/$id/.plugin.so.new"
    mv -f "$bundles/$id/.plugin.so.new" "$bundles/$id/plugin.so"
done
