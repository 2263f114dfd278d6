#!/usr/bin/env bash
# Measures whole processes and the floor in one run: `check`, and `plan` over HTTP against a server that has the rooms.
# bash benches/whole.sh [--write] [ROOMS...]
#   Default: 100 1000 10000 100000 rooms. Prints the minimum CPU of several runs as Markdown tables.
#   --write puts them between the markers in docs/performance.md. ROOMFORM_BUILT=1 measures the existing build.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ "${1:-}" = --write ]; then
  shift
  tables=$(bash benches/whole.sh "$@")
  bash benches/into.sh whole.sh <<<"$tables"
  exit
fi
sizes=("$@")
[ ${#sizes[@]} -gt 0 ] || sizes=(100 1000 10000 100000)
TIMEFORMAT='%3U %3S %3R'

if [ ! -x /usr/bin/time ]; then
  apt-get install -y -qq time
fi
target=${CARGO_TARGET_DIR:-$(pwd)/target}
if [ -z "${ROOMFORM_BUILT:-}" ]; then
  cargo build --release --locked --quiet
  cargo bench --locked --quiet --bench floor --no-run
fi
program=$target/release/roomform
floor=$(find "$target/release/deps" -name 'floor-*' -type f -perm -u+x -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d' ' -f2)

work=$(mktemp -d)
servers=()
trap 'kill "${servers[@]}" 2>/dev/null || true; rm -rf "$work"' EXIT
export IMBACHAT_WIDGET=627 IMBACHAT_SECRET_KEY=secret_key

# least RUNS DIRECTORY COMMAND...: prints "CPU WALL MB", each the minimum of the runs
least() {
  local runs=$1 directory=$2
  shift 2
  for _ in $(seq "$runs"); do
    (
      cd "$directory"
      { time /usr/bin/time -o "$work/memory" -f '%M' "$@" >/dev/null 2>"$work/said"; } 2>&1 || {
        cat "$work/said" >&2
        exit 1
      }
    )
    tail -n 1 "$work/memory"
  done | paste -d' ' - - | awk '
    NR == 1 || $1 + $2 < cpu { cpu = $1 + $2 }
    NR == 1 || $3 < wall { wall = $3 }
    NR == 1 || $4 < memory { memory = $4 }
    END { print cpu, wall, memory / 1024 }'
}

# row WHAT FLOOR-CPU BYTES-READ CPU WALL MB
row() {
  awk -v what="$1" -v floor="$2" -v bytes="$3" -v cpu="$4" -v wall="$5" -v mb="$6" -v rooms="$rooms" 'BEGIN {
    printf "| %s | %.3f | %.3f | %.2f | %.3f | %.1f | %.1f | %.1f | %.1f |\n",
      what, cpu, floor, cpu / floor, wall, cpu / rooms * 1e6, mb, bytes / 1048576, mb * 1048576 / bytes }'
}

# serve DIRECTORY STATE: starts a server and sets $url
serve() {
  "$program" sandbox serve --listen 127.0.0.1:0 --state "$1/$2" >"$1/$2.txt" 2>&1 &
  servers+=($!)
  until grep -qs 'http://' "$1/$2.txt"; do kill -0 "${servers[-1]}"; done
  url=$(grep -o 'http://[0-9.:]*' "$1/$2.txt" | head -n 1)
}

bytes() { cat "$@" | wc -c; }
sum() { echo "$*" | awk '{ for (i = 1; i <= NF; i++) sum += $i; print sum }'; }

tables() {
  local rooms runs dir url yaml json csv list ledger in cpu wall mb
  for rooms in "${sizes[@]}"; do
    dir=$work/$rooms
    runs=$((rooms < 100000 ? 10 : 8))
    "$floor" make "$dir" "$rooms" >/dev/null
    serve "$dir" empty.json
    local fresh=("$program" plan -q --api-url "$url" --ledger "$dir/none.jsonl")
    serve "$dir" state.json
    sed -i "1s#https://chat.example#$url#" "$dir/ledger.jsonl"
    local first=("$program" plan -q --api-url "$url" --ledger "$dir/none.jsonl")
    local plan=("$program" plan -q --api-url "$url" --ledger "$dir/ledger.jsonl")

    read -r yaml _ <<<"$(least "$runs" "$dir" "$floor" yaml yaml/rooms.yaml)"
    read -r json _ <<<"$(least "$runs" "$dir" "$floor" yaml json/rooms.yaml)"
    read -r csv _ <<<"$(least "$runs" "$dir" "$floor" csv csv/enrollments.csv)"
    read -r list _ <<<"$(least "$runs" "$dir" "$floor" json list.json ledger.jsonl)"
    read -r only _ <<<"$(least "$runs" "$dir" "$floor" json list.json)"
    in=$(bytes "$dir/list.json" "$dir/ledger.jsonl")

    echo
    echo "$rooms rooms of 30 members:"
    echo
    echo '| | CPU, s | floor, s | ratio | wall, s | CPU per room, µs | peak, MiB | read, MiB | peak / read |'
    echo '|---|---|---|---|---|---|---|---|---|'
    read -r cpu wall mb <<<"$(least "$runs" "$dir/yaml" "$program" check -q)"
    row "check, YAML" "$yaml" "$(bytes "$dir"/yaml/*)" "$cpu" "$wall" "$mb"
    read -r cpu wall mb <<<"$(least "$runs" "$dir/many" "$program" check -q -f .)"
    row "check, YAML in 100 files" "$yaml" "$(bytes "$dir"/many/*)" "$cpu" "$wall" "$mb"
    read -r cpu wall mb <<<"$(least "$runs" "$dir/json" "$program" check -q)"
    row "check, JSON" "$json" "$(bytes "$dir"/json/*)" "$cpu" "$wall" "$mb"
    read -r cpu wall mb <<<"$(least "$runs" "$dir/csv" "$program" check -q)"
    row "check, CSV" "$csv" "$(bytes "$dir"/csv/*)" "$cpu" "$wall" "$mb"
    read -r cpu wall mb <<<"$(least "$runs" "$dir/yaml" "${fresh[@]}")"
    row "plan, YAML, all rooms new" "$yaml" "$(bytes "$dir"/yaml/*)" "$cpu" "$wall" "$mb"
    read -r cpu wall mb <<<"$(least "$runs" "$dir/yaml" "${first[@]}")"
    row "plan, YAML, existing rooms, no ledger" "$(sum "$yaml" "$only")" "$(bytes "$dir"/yaml/* "$dir/list.json")" "$cpu" "$wall" "$mb"
    read -r cpu wall mb <<<"$(least "$runs" "$dir/yaml" "${plan[@]}")"
    row "plan, YAML, no change" "$(sum "$yaml" "$list")" "$(sum "$in" "$(bytes "$dir"/yaml/*)")" "$cpu" "$wall" "$mb"
    read -r cpu wall mb <<<"$(least "$runs" "$dir/edited" "${plan[@]}")"
    row "plan, YAML, 1 % changed" "$(sum "$yaml" "$list")" "$(sum "$in" "$(bytes "$dir"/edited/*)")" "$cpu" "$wall" "$mb"
    read -r cpu wall mb <<<"$(least "$runs" "$dir/many" "${plan[@]}" -f .)"
    row "plan, YAML in 100 files, no change" "$(sum "$yaml" "$list")" "$(sum "$in" "$(bytes "$dir"/many/*)")" "$cpu" "$wall" "$mb"
    read -r cpu wall mb <<<"$(least "$runs" "$dir/csv" "${plan[@]}")"
    row "plan, CSV, no change" "$(sum "$csv" "$list")" "$(sum "$in" "$(bytes "$dir"/csv/*)")" "$cpu" "$wall" "$mb"
    kill -INT "${servers[@]}"
    wait "${servers[@]}" || true
    servers=()
    rm -r "$dir"
  done
  dir=$work/small
  "$floor" make "$dir" 10 >/dev/null
  serve "$dir" state.json
  sed -i "1s#https://chat.example#$url#" "$dir/ledger.jsonl"
  echo
  echo '| 50 runs | wall, ms (minimum) | CPU, ms (mean) |'
  echo '|---|---|---|'
  quickest "--version" "$program" --version
  quickest "check, 10 rooms" "$program" check -q
  quickest "plan, 10 rooms" "$program" plan -q --api-url "$url" --ledger "$dir/ledger.jsonl"
  kill -INT "${servers[@]}"
  wait "${servers[@]}" || true
  servers=()
}

# quickest WHAT COMMAND...: prints a line of the table
quickest() {
  local what=$1
  shift
  (
    cd "$dir/yaml"
    for _ in $(seq 50); do
      { time "$@" >/dev/null 2>&1; } 2>&1
    done
  ) | awk -v what="$what" '
    NR == 1 || $3 < wall { wall = $3 }
    { cpu += $1 + $2 }
    END { printf "| %s | %.0f | %.1f |\n", what, wall * 1000, cpu / NR * 1000 }'
}

machine() {
  echo "$(nproc) cores of $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(rustc --version | cut -d' ' -f1,2), $(uname -s) $(uname -r | cut -d. -f1,2); load before: $(cut -d' ' -f1 /proc/loadavg)"
}

machine
tables
