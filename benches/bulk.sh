#!/usr/bin/env bash
# `render` of very many rooms, with members from CSV and with the same members in YAML: seconds and peak memory of whole processes.
# bash benches/bulk.sh [ROOMS] [MEMBERS]     default: 100000 rooms of 30 members; the fastest of three runs
set -euo pipefail
cd "$(dirname "$0")/.."
rooms=${1:-100000} members=${2:-30}

if [ ! -x /usr/bin/time ]; then
  apt-get install -y -qq time
fi
[ -n "${ROOMFORM_BUILT:-}" ] || cargo build --release --locked --quiet
program=${CARGO_TARGET_DIR:-$(pwd)/target}/release/roomform

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/csv" "$work/yaml"

cat >"$work/csv/rooms.yaml" <<'YAML'
version: 1
generate:
  - each: courses.csv
    room:
      pipe: "course-{{ id }}"
      title: "{{ name }} · {{ term }}"
      enrol: {roster: enrollments.csv, on: {course_id: id}, user: user_id, where: {status: active}}
YAML
awk -v rooms="$rooms" -v members="$members" -v dir="$work" 'BEGIN {
  courses = dir "/csv/courses.csv"; enrollments = dir "/csv/enrollments.csv"; yaml = dir "/yaml/rooms.yaml"
  print "id,name,term" >courses
  print "course_id,user_id,status" >enrollments
  print "version: 1\nrooms:" >yaml
  for (room = 1; room <= rooms; room++) {
    title = "Курс " room " · осень"
    printf "%d,Курс %d,осень\n", room, room >courses
    list = ""
    for (member = 0; member < members; member++) {
      user = room * 7 % 100000 + member * 13 + 1
      printf "%d,%d,active\n", room, user >enrollments
      list = list (member ? ", " : "") user
    }
    printf "  - {pipe: course-%d, title: \"%s\", members: [%s]}\n", room, title, list >yaml
  }
}'

printf '%-28s %9s %9s %9s %12s\n' "$rooms rooms x $members" "MB read" "s wall" "s CPU" "peak MB"
for kind in csv yaml; do
  best=""
  for _ in 1 2 3; do
    run=$(cd "$work/$kind" && /usr/bin/time -f '%e %U %S %M' "$program" render -q 2>&1 >"$work/$kind.json")
    best=$(printf '%s\n%s\n' "$best" "$run" | awk 'NF == 4' | sort -n | head -n 1)
  done
  bytes=$(cat "$work/$kind"/* | wc -c)
  echo "$best" | awk -v kind="$kind" -v bytes="$bytes" '{ printf "%-28s %9.1f %9.2f %9.2f %12.1f\n", "render, members in " kind, bytes / 1e6, $1, $2 + $3, $4 / 1024 }'
done
cmp "$work/csv.json" "$work/yaml.json" && echo "both give the same $(wc -c <"$work/csv.json") bytes"
