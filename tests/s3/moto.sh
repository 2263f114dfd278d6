#!/usr/bin/env bash
# Tests the ledger in a bucket against a third-party S3 server (moto): eight machines at once, four of them killed, and two that merge
# meanwhile. Nothing may be lost or sent twice. Usage: moto.sh VENV [PROGRAM]; installs moto[server] into VENV if it is missing.
set -euo pipefail
venv=$1
program=$(realpath "${2:-target/debug/roomform}")
rooms=${ROOMS:-120}
work=$(mktemp -d)
pids=()
end() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap end EXIT

[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
[ -x "$venv/bin/moto_server" ] || "$venv/bin/pip" install --quiet --disable-pip-version-check "moto[server]==5.2.5"

cd "$work"
# moto cannot choose a free port itself.
port=$("$venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$venv/bin/moto_server" -H 127.0.0.1 -p "$port" > moto.log 2>&1 & pids+=($!)
"$program" sandbox serve --listen 127.0.0.1:0 --latency 2ms > sandbox.log 2>&1 & pids+=($!)
until curl -sf -o /dev/null "http://127.0.0.1:$port/moto-api/" && grep -q '127.0.0.1:[0-9]' sandbox.log; do
  kill -0 "${pids[0]}" "${pids[1]}"
  sleep 0.2
done
api=$(grep -o 'http://127.0.0.1:[0-9]*' sandbox.log | head -n 1)
export IMBACHAT_API_URL=$api IMBACHAT_WIDGET=627 IMBACHAT_SECRET_KEY=secret_key IMBACHAT_LOGIN=admin IMBACHAT_PASSWORD=admin
export AWS_ENDPOINT_URL="http://127.0.0.1:$port" AWS_ACCESS_KEY_ID=key AWS_SECRET_ACCESS_KEY=secret AWS_REGION=us-east-1
curl -sf -o /dev/null -X PUT "$AWS_ENDPOINT_URL/ledgers"

manifest() { # prefix
  echo "version: 1"
  echo "rooms:"
  for room in $(seq "$rooms"); do
    echo "  - {pipe: $1-$room, title: Course $room, members: [$room, 10001], welcome: {from: 10001, text: Hello}}"
  done
}
shards() { # LEDGER FLAG...: starts eight at once; sets `machines` to their process ids
  machines=()
  for shard in 0 1 2 3 4 5 6 7; do
    "$program" apply --yes --shard "$shard/8" --ledger "$1" "${@:2}" > "shard-$shard.log" 2>&1 & machines+=($!)
  done
}
all_end_with() { # codes
  for pid in "${machines[@]}"; do
    code=0; wait "$pid" || code=$?
    [[ " $* " == *" $code "* ]] || { echo "a machine ended with $code"; cat shard-*.log; exit 1; }
  done
}
# No run lost or duplicated an entry; every room was created once and welcomed once.
check() { # file
  "$venv/bin/python" - "$1" "$rooms" <<'PYTHON'
import collections, json, sys
path, rooms = sys.argv[1], int(sys.argv[2])
lines = [json.loads(line) for line in open(path)][1:]
runs, kinds, intended = collections.defaultdict(list), collections.Counter(), collections.defaultdict(set)
for line in lines:
    runs[line["run"]].append(line["seq"])
    kinds[line["kind"] + (" " + line["stage"] if "stage" in line else "")] += 1
    if line["kind"] == "intent":
        intended[line["pipe"]].add(line["run"])
for run, numbers in runs.items():
    assert sorted(numbers) == list(range(1, len(numbers) + 1)), (run, "an entry is lost or duplicated")
# On a slow machine, a run renews its old claims, so a room may have several intents, but all of one run.
assert [len(claimants) for claimants in intended.values()] == [1] * rooms, ("intent", intended)
for kind in "confirmed", "message intended", "message confirmed":
    assert kinds[kind] == rooms, (kind, kinds[kind])
messages = [line["room_id"] for line in lines if line.get("stage") == "confirmed"]
assert len(messages) == len(set(messages)), "a room was welcomed twice"
print(f"   {len(lines)} entries of {len(runs)} runs, none lost, no duplicates:", ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())))
PYTHON
}
written() { grep -c 'PUT /' moto.log; }
requests() { # since line
  tail -n "+$1" moto.log | sed 's/\x1b\[[0-9;]*m//g' | grep -oE '"(GET|PUT|HEAD|DELETE|POST) .* [0-9]{3}' |
    sed -E 's/^"GET [^ ]*list-type[^ ]* /"LIST /; s/^"([A-Z]+) .* ([0-9]{3})$/\1 \2/' | sort | uniq -c | awk '{printf "%s%s× %s %s", (NR > 1 ? ", " : "   requests: "), $1, $2, $3} END {print ""}'
}

echo "1. eight machines, $rooms rooms, one bucket"
manifest course > rooms.yaml
from=$(($(wc -l < moto.log) + 1))
begun=$(date +%s%N)
shards s3://ledgers/one.jsonl
all_end_with 0
echo "   $((($(date +%s%N) - begun) / 1000000)) ms"
requests "$from"
"$program" ledger merge --ledger one.jsonl s3://ledgers/one.jsonl > /dev/null
check one.jsonl
"$program" plan --ledger s3://ledgers/one.jsonl --detailed-exitcode > /dev/null

echo "2. the same with two concurrent merges, and four machines killed and restarted"
manifest seminar > rooms.yaml
shards s3://ledgers/two.jsonl --ignore-limits
merges=0
for victim in 0 2 4 6; do
  # A machine dies once more was written since the last death.
  enough=$(($(written) + rooms / 20))
  until [ "$(written)" -ge "$enough" ] || ! kill -0 "${machines[$victim]}" 2>/dev/null; do sleep 0.05; done
  "$program" ledger compact --ledger s3://ledgers/two.jsonl > compact-1.log 2>&1 & one=$!
  "$program" ledger compact --ledger s3://ledgers/two.jsonl > compact-2.log 2>&1 & two=$!
  kill -9 "${machines[$victim]}" 2>/dev/null || true
  wait "$one" || { cat compact-1.log; exit 1; }
  wait "$two" || { cat compact-2.log; exit 1; }
  merges=$((merges + 2))
done
all_end_with 0 137
shards s3://ledgers/two.jsonl --ignore-limits
all_end_with 0 4
echo "   $merges merges while others wrote"
"$program" ledger merge --ledger two.jsonl s3://ledgers/two.jsonl > /dev/null
status=0
"$program" plan --ledger s3://ledgers/two.jsonl > plan.txt || status=$?
grep -q "$rooms unchanged" plan.txt || { cat plan.txt; exit 1; }
"$program" get rooms --format csv --columns pipe > live.csv
[ "$(grep -c '^seminar-' live.csv)" -eq "$rooms" ] && [ "$(grep '^seminar-' live.csv | sort -u | wc -l)" -eq "$rooms" ]
echo "   $rooms rooms exist, no duplicates; the plan is empty"

echo "3. compacted, read again"
"$program" ledger compact --ledger s3://ledgers/one.jsonl
"$program" plan -f <(manifest course) --ledger s3://ledgers/one.jsonl > plan.txt
grep -q "$rooms unchanged" plan.txt || { cat plan.txt; exit 1; }
echo "s3: done"
