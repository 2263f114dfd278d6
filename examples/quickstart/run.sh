#!/usr/bin/env bash
# Plans, applies, and plans again on the built-in sandbox. Needs no account and no network.
set -euo pipefail
cd "$(dirname "$0")/../.."

# To build faster, leaves out ledgers in buckets and rosters in Excel: the quickstart does not use them.
flags=(--profile quick --no-default-features --locked)
cargo build "${flags[@]}" # about two minutes the first time

state=$(mktemp -d)
trap 'rm -rf "$state"' EXIT

roomform() {
  printf '\n$ roomform %s\n' "$*"
  cargo run --quiet "${flags[@]}" -- "$@" --file examples/quickstart/rooms.yaml --sandbox="$state/sandbox.json"
}

roomform plan
roomform apply --yes
roomform plan --detailed-exitcode # exits 2 if changes were pending
