#!/usr/bin/env bash
# scripts/released-atlas.sh AUSCULT MODEL DATA OUT [DICTIONARY]: an atlas of all neurons of a model's encoder and decoder over
# recordings, and its page as files, with sounds: OUT/model.atlas and OUT/site. What was interrupted goes on.
#
# A page of every feature would be hundreds of megabytes, so it has the FEATURES=300 that say their sound most precisely; the atlas has all. A second of
# a recording takes 23 kB there, however often it is played, and a feature 20 kB; MOST=30000000 bytes are allowed. `auscult atlas serve` shows all.
set -euo pipefail
auscult=$1 model=$2 data=$3 out=$4 dictionary=${5:-}
features=${FEATURES:-300} most=${MOST:-30000000}
mkdir -p "$out"
atlas=$out/model.atlas
"$auscult" atlas build "$data" --model "$model" --out "$atlas" \
    --hooks 'encoder.blocks.*.mlp.1' --hooks 'decoder.blocks.*.mlp.1'
if [[ -n $dictionary ]]; then "$auscult" atlas build "$data" --model "$model" --out "$atlas" -p dictionary="$dictionary"; fi
rm -rf "$out/site"
"$auscult" atlas export "$atlas" --out "$out/site" --features "$features" --sort precision_at_recall --examples 4 --bin-examples 1
bytes=$(find "$out/site" -type f -printf '%s\n' | awk '{ sum += $1 } END { print sum + 0 }')
echo "$out/site: $bytes bytes"
((bytes <= most)) || { echo "that is more than $most; ask for fewer with FEATURES=" >&2; exit 1; }
