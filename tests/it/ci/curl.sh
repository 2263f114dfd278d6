#!/usr/bin/env bash
# GitLab's API as far as the jobs use it. It gives the one value that `jq`, which is `cat` here, is asked to pick out.
set -euo pipefail
out=/dev/stdout url=""
while [ $# -gt 0 ]; do
  case "$1" in
    --output) out=$2; shift ;;
    --header|--request|--data-urlencode) shift ;;
    --*) ;;
    *) url=$1 ;;
  esac
  shift
done
case "$url" in
  */notes*) ;;
  */repository/commits/*/merge_requests) cat "$STORE/merged" 2>/dev/null || true ;;
  */merge_requests/*/pipelines) echo 1 ;;
  */pipelines/*/jobs) echo 2 ;;
  */artifacts/plan.json) cp "$STORE/artifacts/plan.json" "$out" ;;
  *) echo "curl: not known here: $url" >&2; exit 64 ;;
esac
