#!/usr/bin/env bash
# The GitHub command line as far as the workflow uses it: runs, pull requests, issues and comments are JSON arrays below $STORE.
set -euo pipefail
[ -n "${GH_TOKEN:-}" ] || { echo "gh: no GH_TOKEN" >&2; exit 4; }
method=GET filter=. fields={} name="" directory=. words=()
while [ $# -gt 0 ]; do
  case "$1" in
    --method) method=$2; shift ;;
    --jq) filter=$2; shift ;;
    --name) name=$2; shift ;;
    --dir) directory=$2; shift ;;
    --repo) shift ;;
    --field)
      key=${2%%=*} value=${2#*=}
      case "$value" in
        @*) fields=$(jq --arg key "$key" --rawfile value "${value#@}" '.[$key] = $value' <<< "$fields") ;;
        *) fields=$(jq --arg key "$key" --arg value "$value" '.[$key] = $value' <<< "$fields") ;;
      esac
      shift ;;
    --silent | --paginate) ;;
    -*) echo "gh: not known here: $1" >&2; exit 64 ;;
    *) words+=("$1") ;;
  esac
  shift
done
case "${words[*]}" in
  "auth setup-git") exit 0 ;;
  "run download "*)
    from=$STORE/artifacts/${words[2]}/$name
    [ -d "$from" ] || { echo "no artifact matches any of the names or patterns provided" >&2; exit 1; }
    mkdir -p "$directory"
    cp -r "$from"/. "$directory"
    exit 0 ;;
  "api repos/school/rooms/"*) ;;
  *) echo "gh: not known here: ${words[*]}" >&2; exit 64 ;;
esac
url=${words[1]#repos/school/rooms/}
query=$(jq -n --arg url "$url" '[$url | split("?")[1] // "" | split("&")[] | split("=") | {(.[0]): .[1]}] | add // {}')
path=${url%%\?*}
# Arguments: the array, and how the fields change it.
change() {
  jq --argjson fields "$fields" --arg path "$path" "$2" "$STORE/$1.json" > "$STORE/changed"
  mv "$STORE/changed" "$STORE/$1.json"
}
# Arguments: the array, and what the answer selects.
answer() {
  jq --argjson query "$query" --arg path "$path" "$2" "$STORE/$1.json" | jq -r "$filter"
}
case "$method $path" in
  "GET actions/workflows/roomform.yaml/runs")
    answer runs '{workflow_runs: [reverse[] | select(($query.event // .event) == .event and ($query.head_sha // .head_sha) == .head_sha
      and ($query.branch // .head_branch) == .head_branch and ($query.status // .conclusion) == .conclusion)][:($query.per_page | tonumber)]}' ;;
  "GET pulls") answer pulls '[reverse[] | select(.base.ref == $query.base)][:($query.per_page | tonumber)]' ;;
  "GET issues") answer issues '[.[] | select(.state == $query.state)]' ;;
  "POST issues") change issues '. + [{number: (length + 50), state: "open", user: {type: "Bot"}} + $fields]' ;;
  "GET issues/"*/comments) answer comments '[.[] | select("issues/\(.issue)/comments" == $path)]' ;;
  "POST issues/"*/comments) change comments '. + [{id: (length + 100), issue: ($path | split("/")[1] | tonumber), user: {type: "Bot"}} + $fields]' ;;
  "PATCH issues/comments/"*) change comments 'map(if "issues/comments/\(.id)" == $path then . + $fields else . end)' ;;
  "PATCH issues/"*) change issues 'map(if "issues/\(.number)" == $path then . + $fields else . end)' ;;
  *) echo "gh: not known here: $method $path" >&2; exit 64 ;;
esac
