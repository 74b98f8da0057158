#!/usr/bin/env bash
# scripts/released-atlas.sh AUSCULT MODEL DATA OUT [DICTIONARY]: an atlas of all neurons of a model's encoder and decoder over
# recordings, and its page as files, with sounds: OUT/model.atlas and OUT/site; the same of a dictionary's latents:
# OUT/dictionary.atlas and OUT/dictionary-site. What was interrupted goes on. (In one atlas the two scans would have two copies of every sound.)
#
# A page of every feature would be hundreds of megabytes, so it has the FEATURES=300 that say their sound most precisely; the atlas has all. A second of
# a recording takes 23 kB there, however often it is played, and a feature 20 kB; MOST=30000000 bytes are allowed. `auscult atlas serve` shows all.
set -euo pipefail
auscult=$1 model=$2 data=$3 out=$4 dictionary=${5:-}
features=${FEATURES:-300} most=${MOST:-30000000}
mkdir -p "$out"

# atlas NAME SITE ARGUMENT…: builds OUT/NAME.atlas and exports it into OUT/SITE.
atlas() {
    local atlas=$out/$1.atlas site=$out/$2 bytes
    shift 2
    "$auscult" atlas build "$data" --model "$model" --out "$atlas" "$@"
    rm -rf "$site"
    "$auscult" atlas export "$atlas" --out "$site" --features "$features" --sort precision_at_recall --examples 4 --bin-examples 1
    bytes=$(find "$site" -type f -printf '%s\n' | awk '{ sum += $1 } END { print sum + 0 }')
    echo "$site: $bytes bytes"
    ((bytes <= most)) || { echo "that is more than $most; ask for fewer with FEATURES=" >&2; exit 1; }
}

atlas model site --hooks 'encoder.blocks.*.mlp.1' --hooks 'decoder.blocks.*.mlp.1'
if [[ -n $dictionary ]]; then atlas dictionary dictionary-site -p dictionary="$dictionary"; fi
