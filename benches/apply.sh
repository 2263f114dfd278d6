#!/usr/bin/env bash
# Compares `apply` with the maximum rate of the server: rooms per second against `sandbox serve`, and the rate of wrk, which replays the same
# bytes over the same number of connections. Repeats this with 50 ms of latency, and with the ledger in memory instead of on disk.
# bash benches/apply.sh [--write] [ROOMS] [MEMBERS] [ROUNDS]
#   defaults: 10000 rooms of 7 members, best of five rounds; --write updates the tables in docs/performance.md
set -euo pipefail
cd "$(dirname "$0")/.."
if [ "${1:-}" = --write ]; then
  shift
  tables=$(bash benches/apply.sh "$@")
  bash benches/into.sh apply.sh <<<"$tables"
  exit
fi
rooms=${1:-10000} members=${2:-7} rounds=${3:-5}

for tool in wrk:wrk python3:python3 /usr/bin/time:time; do
  command -v "${tool%:*}" >/dev/null || apt-get install -y -qq "${tool#*:}" >/dev/null
done
[ -n "${ROOMFORM_BUILT:-}" ] || cargo build --release --locked --quiet
program=${CARGO_TARGET_DIR:-$(pwd)/target}/release/roomform
benches=$(pwd)/benches/apply

work=$(mktemp -d) memory=$(mktemp -d -p /dev/shm)
serving=""
finish() {
  [ -z "$serving" ] || kill -INT "$serving" 2>/dev/null || true
  rm -rf "$work" "$memory"
}
trap finish EXIT
export IMBACHAT_WIDGET=627 IMBACHAT_SECRET_KEY=secret_key IMBACHAT_LOGIN=admin IMBACHAT_PASSWORD=admin

# manifest ROOMS: prints the path of the file
manifest() {
  awk -v rooms="$1" -v members="$members" 'BEGIN {
    print "version: 1\nrooms:"
    for (room = 1; room <= rooms; room++) {
      list = ""
      for (member = 0; member < members; member++) list = list (member ? ", " : "") (room * 7 % 100000 + member * 13 + 1)
      printf "  - {pipe: course-%d, title: \"Курс %d · осень\", members: [%s]}\n", room, room, list
    }
  }' >"$work/rooms-$1.yaml"
  echo "$work/rooms-$1.yaml"
}

# await TEXT FILE: waits up to a minute until the file contains the text
await() {
  local tries
  for tries in $(seq 1200); do
    if grep -qs "$1" "$2"; then return; fi
    sleep 0.05
  done
  echo "no \`$1\` after $tries tries" >&2
  return 1
}

# serve FLAG…: a fresh sandbox on a free port
serve() {
  rm -f "$work/sandbox"
  "$program" sandbox serve --listen 127.0.0.1:0 "$@" >"$work/sandbox" &
  serving=$!
  await listening "$work/sandbox"
  export IMBACHAT_API_URL
  IMBACHAT_API_URL=$(sed -n 's/^listening on //p' "$work/sandbox")
}

# Sets sandbox_cpu (seconds) and served (the sandbox's last line).
end_serving() {
  local ticks
  ticks=$(awk '{ print $14 + $15 }' "/proc/$serving/stat")
  kill -INT "$serving"
  wait "$serving"
  serving=""
  sandbox_cpu=$(awk -v ticks="$ticks" -v hz="$(getconf CLK_TCK)" 'BEGIN { print ticks / hz }')
  served=$(tail -n 1 "$work/sandbox")
}

# apply MANIFEST LEDGER FLAG…: prints wall seconds, CPU seconds, MB, and the seconds from the first intent to the last confirmation
apply() {
  local manifest=$1 ledger=$2
  shift 2
  rm -f "$ledger"
  /usr/bin/time -o "$work/time" -f '%e %U %S %M' "$program" apply --yes -q -f "$manifest" --ledger "$ledger" "$@" >"$work/applied"
  python3 - "$ledger" "$work/time" <<'PY'
import datetime, json, sys
first = last = None
for line in open(sys.argv[1]):
    entry = json.loads(line)
    if entry.get("kind") in ("intent", "confirmed"):
        time = datetime.datetime.fromisoformat(entry["time"].replace("Z", "+00:00")).timestamp()
        first, last = first or time, time
wall, user, system, kilobytes = open(sys.argv[2]).read().split()
print(wall, round(float(user) + float(system), 2), int(kilobytes) // 1024, round(last - first, 3))
PY
}

# best COLUMN FILE: the line with the smallest value in the column
best() { sort -g -k "$1,$1" "$2" | head -n 1; }

# record MANIFEST FILE: saves the raw requests of an apply
record() {
  serve
  local to=${IMBACHAT_API_URL##*:}
  rm -f "$work/hold" "$work/port"
  mkfifo "$work/hold"
  python3 "$benches/record.py" "$to" "$2" <"$work/hold" >"$work/port" &
  local recorder=$!
  exec 9>"$work/hold"
  await . "$work/port"
  IMBACHAT_API_URL=http://127.0.0.1:$(cat "$work/port") apply "$1" "$work/recorded.jsonl" >/dev/null
  exec 9>&-
  wait "$recorder"
  end_serving
}

# replay FILE CONNECTIONS: prints the requests, the seconds, and the number of bad answers
replay() {
  rm -f "$work/wrk"
  wrk --threads 1 --connections "$2" --duration 300s --script "$benches/replay.lua" "$IMBACHAT_API_URL" -- "$1" >"$work/wrk" &
  local wrk=$!
  await '^replayed' "$work/wrk"
  kill -INT "$wrk"
  wait "$wrk" || true
  sed -n 's/^replayed //p' "$work/wrk"
}

file=$(manifest "$rooms")
record "$file" "$work/requests"
bytes=$(wc -c <"$work/requests")

echo "$(nproc) cores of $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(wrk -v 2>&1 | sed -n 's/^\(wrk [^ ]*\).*/\1/p'); load before: $(cut -d' ' -f1 /proc/loadavg). $($program --version), $(date '+%B %Y')."
echo "$rooms rooms of $members members, $((bytes / rooms)) bytes per request. Best of $rounds rounds; each round runs every line once."
echo
echo "| parallelism | wrk, rooms/s | apply, writing, rooms/s | apply / wrk | apply, whole run, rooms/s | client CPU, µs per room | sandbox CPU per room under wrk, apply | connections opened |"
echo "|---|---|---|---|---|---|---|---|"
for width in 8 32; do
  : >"$work/wrk-$width" >"$work/apply-$width"
  for _ in $(seq "$rounds"); do
    serve
    line=$(replay "$work/requests" "$width")
    end_serving
    echo "$line $sandbox_cpu" >>"$work/wrk-$width"
    serve
    line=$(apply "$file" "$work/ledger.jsonl" --parallelism "$width")
    end_serving
    echo "$line $sandbox_cpu $(sed -n 's/.* over \([0-9]*\) connection.*/\1/p' <<<"$served")" >>"$work/apply-$width"
  done
  awk -v width="$width" -v rooms="$rooms" -v wrk="$(best 2 "$work/wrk-$width")" -v apply="$(best 4 "$work/apply-$width")" 'BEGIN {
    split(wrk, w, " "); split(apply, a, " ")
    printf "| %d | %.0f | %.0f | %.2f | %.0f | %.0f | %.0f, %.0f µs | %s |\n", width, rooms / w[2], rooms / a[4], w[2] / a[4], rooms / a[1],
      a[2] / rooms * 1e6, w[4] / rooms * 1e6, a[5] / rooms * 1e6, a[6]
    if (w[3] > 0) print "wrk had bad answers: " w[3] | "cat >&2"
  }'
done

echo
echo "With 50 ms of latency, \`--parallelism 32\` can reach at most 640 rooms/s:"
echo
echo "| rooms | writing, rooms/s | share of 640 | connections opened |"
echo "|---|---|---|---|"
slow=$(manifest 6400)
serve --latency 50ms
line=$(apply "$slow" "$work/ledger.jsonl" --parallelism 32)
end_serving
awk -v line="$line" -v opened="$(sed -n 's/.* over \([0-9]*\) connection.*/\1/p' <<<"$served")" 'BEGIN {
  split(line, a, " "); printf "| 6400 | %.0f | %.3f | %s |\n", 6400 / a[4], 6400 / a[4] / 640, opened }'

echo
echo "The ledger on disk, and in memory, where fsync is free:"
echo
echo "| server answers | parallelism | ledger | writing, s | whole run, s | CPU, s |"
echo "|---|---|---|---|---|---|"
ledgers() { # NAME WIDTH MANIFEST ROUNDS FLAG…
  local name=$1 width=$2 manifest=$3 rounds=$4 place line
  shift 4
  : >"$work/on-disk" >"$work/in-memory"
  for _ in $(seq "$rounds"); do
    for place in disk:"$work/on-disk" memory:"$work/in-memory"; do
      serve "$@"
      case $place in
        disk:*) line=$(apply "$manifest" "$work/ledger.jsonl" --parallelism "$width") ;;
        *) line=$(apply "$manifest" "$memory/ledger.jsonl" --parallelism "$width") ;;
      esac
      end_serving
      echo "$line" >>"${place#*:}"
    done
  done
  for place in "on disk:$work/on-disk" "in memory:$work/in-memory"; do
    best 4 "${place#*:}" | awk -v name="$name" -v width="$width" -v place="${place%%:*}" '{ printf "| %s | %d | %s | %.2f | %.2f | %.2f |\n", name, width, place, $4, $1, $2 }'
  done
}
ledgers "at once" 8 "$file" "$rounds"
ledgers "at once" 32 "$file" "$rounds"
ledgers "after 50 ms" 32 "$slow" 2 --latency 50ms
