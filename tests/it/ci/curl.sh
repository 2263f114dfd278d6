#!/usr/bin/env bash
# Downloads of releases, and GitLab's API as far as the jobs use it: its answers are JSON arrays below $STORE.
set -euo pipefail
out=/dev/stdout url="" token="" method="" fields={}
while [ $# -gt 0 ]; do
  case "$1" in
    --output) out=$2; shift ;;
    --header) token=${2#PRIVATE-TOKEN: }; shift ;;
    --request) method=$2; shift ;;
    --data-urlencode)
      case "$2" in
        *=*) fields=$(jq --arg key "${2%%=*}" --arg value "${2#*=}" '.[$key] = $value' <<< "$fields") ;;
        *@*) fields=$(jq --arg key "${2%%@*}" --rawfile value "${2#*@}" '.[$key] = $value' <<< "$fields") ;;
      esac
      shift ;;
    --retry) shift ;;
    --fail | --silent | --show-error | --location) ;;
    -*) echo "curl: not known here: $1" >&2; exit 64 ;;
    *) url=$1 ;;
  esac
  shift
done
[ -n "$method" ] || { [ "$fields" = "{}" ] && method=GET || method=POST; }
missing() { echo "curl: (22) The requested URL returned error: 404" >&2; exit 22; }
case "$url" in
  https://*/releases/download/v*)
    echo "${url##*/}" >> "$STORE/downloaded"
    [ -e "$STORE/releases/${url##*/}" ] || missing
    cp "$STORE/releases/${url##*/}" "$out"
    exit 0 ;;
  "$CI_API_V4_URL/user") path=user ;;
  "$CI_API_V4_URL/projects/1/"*) path=${url#"$CI_API_V4_URL/projects/1/"} ;;
  *) echo "curl: not known here: $url" >&2; exit 64 ;;
esac
[ -n "$token" ] || { echo "curl: (22) The requested URL returned error: 401" >&2; exit 22; }
number=$(cut -d / -f 2 -s <<< "${path%%\?*}")
# Arguments: the array, and how the fields change it.
change() {
  jq --argjson fields "$fields" --argjson number "${number:-0}" "$2" "$STORE/$1.json" > "$STORE/changed"
  mv "$STORE/changed" "$STORE/$1.json"
}
case "$method $path" in
  "GET deployments?environment=roomform-apply&status=success&order_by=id&sort=desc&per_page=1") jq 'reverse[:1]' "$STORE/deployments.json" ;;
  "GET merge_requests?state=merged&target_branch=main&order_by=updated_at&per_page=100") jq '[.[] | select(.state == "merged")] | reverse' "$STORE/pulls.json" ;;
  "GET merge_requests/"*"/pipelines?per_page=100") jq --arg iid "$number" '[.[] | select(.iid == ($iid | tonumber))] | reverse' "$STORE/runs.json" ;;
  "GET pipelines/"*"/jobs?per_page=100") jq -n --arg id "$number" '[{id: "0", name: "roomform-check"}, {id: $id, name: "roomform-plan"}]' ;;
  "GET jobs/"*/artifacts/plan.json)
    [ -e "$STORE/artifacts/$number/plan.json" ] || missing
    cp "$STORE/artifacts/$number/plan.json" "$out" ;;
  "GET user") echo '{"id": 9}' ;;
  "GET merge_requests/"*"/notes?per_page=100") jq --argjson number "$number" '[.[] | select(.issue == $number)]' "$STORE/comments.json" ;;
  "POST merge_requests/"*/notes) change comments '. + [{id: (length + 100), issue: $number, author: {id: 9}} + $fields]' ;;
  "PUT merge_requests/"*/notes/*) number=${path##*/} && change comments 'map(if .id == $number then . + $fields else . end)' ;;
  "GET issues?state=opened&scope=created_by_me&per_page=100") jq '[.[] | select(.state == "opened")]' "$STORE/issues.json" ;;
  "POST issues") change issues '. + [{iid: (length + 50), state: "opened"} + $fields]' ;;
  "PUT issues/"*) change issues 'map(if .iid == $number then . + $fields + {state: (if $fields.state_event == "close" then "closed" else .state end)} else . end)' ;;
  *) echo "curl: not known here: $method $path" >&2; exit 64 ;;
esac
