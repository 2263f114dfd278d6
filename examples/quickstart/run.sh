#!/usr/bin/env bash
# The main job in one go, on the built-in sandbox: plan, apply, and the plan is empty. No account, no network.
set -euo pipefail
cd "$(dirname "$0")/../.."

cargo build --release --locked # a few minutes the first time

state=$(mktemp -d)
trap 'rm -rf "$state"' EXIT

roomform() {
  printf '\n$ roomform %s\n' "$*"
  cargo run --quiet --release --locked -- "$@" --file examples/quickstart/rooms.yaml --sandbox="$state/sandbox.json"
}

roomform plan
roomform apply --yes
roomform plan --detailed-exitcode # exits 2 if anything were left to do
