#!/usr/bin/env bash
# scripts/install-completions.sh AUSCULT PREFIX: shell completions, where each shell looks for them.
set -euo pipefail
auscult=$1 share=$2/share

write() { # shell, path
    mkdir -p "$(dirname "$2")"
    # They are read, not run.
    "$auscult" --generate-completion-script "$1" | sed '1{/^#!/d}' >"$2"
}
write bash "$share/bash-completion/completions/auscult"
write zsh "$share/zsh/site-functions/_auscult"
write fish "$share/fish/vendor_completions.d/auscult.fish"
