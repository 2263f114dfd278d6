#!/usr/bin/env bash
# An object store as far as the workflows use it: `s3 cp --recursive FROM TO` with a bucket that is a directory below $STORE.
set -euo pipefail
[ "$1 $2 $3" = "s3 cp --recursive" ]
[ -n "${AWS_ACCESS_KEY_ID:-}" ] && [ -n "${AWS_SECRET_ACCESS_KEY:-}" ] || { echo "aws: no credentials" >&2; exit 253; }
place() { case "$1" in s3://*) mkdir -p "$STORE/bucket"; echo "$STORE/bucket" ;; *) echo "$1" ;; esac; }
from=$(place "$4") to=$(place "$5")
mkdir -p "$to"
for file in "$from"/*.jsonl; do
  [ -e "$file" ] || continue
  cp "$file" "$to/"
done
