#!/usr/bin/env bash
# bash benches/into.sh NAME: writes stdin between the markers of that name in docs/performance.md
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/tables"
[ -s "$work/tables" ]
awk -v tables="$work/tables" -v name="$1" '
  $0 == "<!-- " name " -->" { print; print ""; while ((getline line < tables) > 0) print line; print ""; skip = 1 }
  $0 == "<!-- end of " name " -->" { skip = 0 }
  !skip' docs/performance.md >"$work/page"
cat "$work/page" >docs/performance.md
