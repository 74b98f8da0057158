#!/bin/sh
# Writes the help texts that HelpTests expects, from the program given (by default the release build).
# Run from the repository's root: Tests/Fixtures/commands/generate.sh [.build/release/auscult]
set -eu
auscult=${1:-.build/release/auscult}
here=$(dirname "$0")
rm -f "$here"/help*.txt
write() {
    name=$(echo "help $*" | tr ' ' '-' | sed 's/-$//')
    COLUMNS=80 "$auscult" "$@" --help < /dev/null 2>&1 | cat > "$here/$name.txt"
}
write
for command in transcribe listen devices hooks trace "models" "models list" "models add" "models remove" "models pull" "precision" \
    "samples" "samples list" "samples export" "jobs" "jobs list" "jobs watch" "jobs result" "jobs cancel" \
    "jobs forget" "atlas" "atlas build" "atlas show" "atlas card" "atlas listen" "atlas serve" "atlas export" \
    "reproduce" "verify" "align" "status" "stop" "call" \
    "bridge" "run" "merge" "plugins" "plugins list" "plugins show" "plugins new" "plugins validate"; do
    # shellcheck disable=SC2086  # two words are two arguments
    write $command
done
