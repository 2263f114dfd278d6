#!/usr/bin/env bash
# The same rooms made by roomform and by others: seconds, CPU and memory of whole processes, as the table of docs/performance.md.
# bash benches/peers/run.sh [--write] [ROOMS]…
#   100, 1000 and 10000 rooms of 7 members unless told otherwise; --write puts the table into docs/performance.md
# ONLY=roomform,Terraform: these tools of the table
# LIMIT=300: the seconds after which a step is cut short, or not begun if it would take longer by the figures before it
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
