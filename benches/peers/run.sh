#!/usr/bin/env bash
# Creates the same rooms with roomform and with other tools: seconds, CPU and memory of whole processes, as the table of docs/performance.md.
# bash benches/peers/run.sh [--write] [ROOMS]…
#   default: 100, 1000 and 10000 rooms of 7 members; --write updates the table in docs/performance.md
# ONLY=roomform,Terraform: run only these tools
# LIMIT=300: seconds after which a step is stopped; a step that would take longer, judging by the smaller sizes, is skipped
set -euo pipefail
cd "$(dirname "$0")/../.."
if [ "${1:-}" = --write ]; then
  shift
  table=$(bash benches/peers/run.sh "$@")
  bash benches/into.sh peers/run.sh <<<"$table"
  exit
fi

[ -x /usr/bin/time ] || apt-get install -y -qq time >/dev/null
[ -n "${ROOMFORM_BUILT:-}" ] || cargo build --release --locked --quiet
program=${CARGO_TARGET_DIR:-$(pwd)/target}/release/roomform

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check -r benches/peers/requirements.txt
"$work/venv/bin/python" benches/peers/run.py "$program" "$work" "${LIMIT:-300}" "${@:-100 1000 10000}"
